"""What holds for the command line as a whole."""

import subprocess
import sys

import pytest
from plan_case import refused

from semloss.cli import main


def test_interruption_ends_with_130(fits, monkeypatch, capsys):
    def interrupt(_path):
        raise KeyboardInterrupt

    monkeypatch.setattr("semloss.surfaces.files.fit_file.load", interrupt)
    assert main(["predict", str(fits / "psnr_db.json"), "--cr", "1/6", "--snr-db", "4"]) == 130
    assert capsys.readouterr().err == "semloss: interrupted\n"


def test_version_and_help_end_with_0(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("semloss 0.")
    assert main(["--help"]) == 0
    assert {"collect", "fit", "predict"} <= set(capsys.readouterr().out.split())


def test_a_reader_that_has_had_enough_is_no_error(fits):
    predict = f"{sys.executable} -m semloss predict {fits / 'psnr_db.json'} --cr 1/6 --snr-db 4"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {predict} | true"], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["measure"], "invalid choice: 'measure'"),
        (["plan"], "required: QUESTION"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(ask, words, says):
    refused(ask(*words), says)


def test_alone_it_shows_three_examples(ask):
    code, out, err = ask()
    assert (code, err) == (0, "")
    assert out.count("\n  semloss ") == 3


@pytest.mark.parametrize("command", ["collect", "fit", "predict", "fits", "plan"])
def test_the_help_of_a_command_fits_a_screen(ask, monkeypatch, command):
    monkeypatch.setenv("COLUMNS", "80")
    code, out, _ = ask(command, "--help")
    assert code == 0
    assert len(out.splitlines()) <= {"fit": 46}.get(command, 40)
    assert "example: semloss " in out or command == "plan"
