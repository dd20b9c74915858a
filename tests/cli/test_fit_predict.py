"""`semloss fit` and `semloss predict` as a user meets them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from semloss.cli import main

DATA = Path(__file__).parents[1] / "data"
EUROSAT = str(DATA / "eurosat_surface.csv")


@pytest.fixture(scope="module")
def fits(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fits")
    for metric, form in (("psnr_db", "unified"), ("accuracy", "capped")):
        out = str(folder / f"{metric}.json")
        assert main(["fit", EUROSAT, "--metric", metric, "--form", form, "--out", out]) == 0
    return folder


def test_fit_prints_a_few_lines_and_writes_beside_the_table(tmp_path, capsys):
    table = tmp_path / "grid.csv"
    table.write_text((DATA / "eurosat_surface.csv").read_text())
    assert main(["fit", str(table), "--form", "additive"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("accuracy (clean): 21 points, 3 CR × 7 SNR")
    assert "RMSE" in out
    assert (tmp_path / "grid-accuracy-clean.json").is_file()


def test_fit_of_a_run_writes_into_its_fits_folder(tmp_path, capsys):
    (tmp_path / "metrics.csv").write_text((DATA / "eurosat_surface.csv").read_text())
    command = ["fit", str(tmp_path), "--metric", "psnr_db", "--form", "additive", "--json"]
    assert main(command) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["form"] == "additive"
    assert summary["rmse"] > 0
    assert Path(summary["out"]) == tmp_path / "fits" / "psnr_db.json"
    assert Path(summary["out"]).is_file()


def test_predict_answers_with_one_json_object(fits, capsys):
    command = ["predict", str(fits / "psnr_db.json"), "--cr", "1/24", "--snr-db", "5", "--json"]
    assert main(command) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["metric"] == "psnr_db"
    assert answer["value"] == pytest.approx(30.3, abs=0.1)  # the measured cell reads 30.3 dB
    assert answer["low"] < answer["value"] < answer["high"]
    assert answer["in_domain"] is True
    assert (answer["cr"], answer["snr_db"]) == (pytest.approx(1 / 24), 5.0)


def test_predict_solves_for_the_snr_and_for_the_cr(fits, capsys):
    fit = str(fits / "psnr_db.json")
    assert main(["predict", fit, "--target", "30", "--cr", "1/12", "--json"]) == 0
    needed = json.loads(capsys.readouterr().out)
    assert needed["snr_db_low"] < needed["snr_db"] < needed["snr_db_high"]
    command = ["predict", fit, "--target", "30", "--snr-db", str(needed["snr_db"]), "--json"]
    assert main(command) == 0
    assert json.loads(capsys.readouterr().out)["cr"] == pytest.approx(1 / 12)


def test_predict_speaks_in_sentences_too(fits, capsys):
    fit = str(fits / "accuracy.json")
    assert main(["predict", fit, "--cr", "1/12", "--snr-db", "-4"]) == 0
    assert "accuracy (clean) = 0." in capsys.readouterr().out
    assert main(["predict", fit, "--target", "0.45", "--snr-db", "4"]) == 0
    assert "met by 1/" in capsys.readouterr().out


def test_a_target_out_of_reach_ends_with_3(fits, capsys):
    command = ["predict", str(fits / "accuracy.json"), "--target", "0.9", "--cr", "1/12"]
    assert main(command) == 3
    error = capsys.readouterr().err
    assert error.startswith("semloss: accuracy = 0.9 is not attainable at CR 1/12")
    assert error.count("\n") == 1


def test_outside_the_domain_is_said_and_strict_ends_with_4(fits, capsys):
    command = ["predict", str(fits / "psnr_db.json"), "--cr", "1/100", "--snr-db", "5"]
    assert main(command) == 0
    assert "OUTSIDE the fitted domain" in capsys.readouterr().out
    assert main([*command, "--strict"]) == 4
    assert "outside the fitted domain, CR 1/48 … 1/6" in capsys.readouterr().err


def test_form_list_shows_the_ladder_and_needs_no_table(capsys):
    assert main(["fit", "--form", "list"]) == 0
    out = capsys.readouterr().out
    assert out.index("constant") < out.index("additive") < out.index("unified") < out.index("pair")
    assert main(["fit", "--form", "list", "--json"]) == 0
    forms = json.loads(capsys.readouterr().out)
    assert forms[0]["form"] == "constant"
    assert all(p["unit"] for form in forms for p in form["parameters"])


def test_fit_shows_the_forms_it_chose_from_and_how(tmp_path, capsys):
    command = ["fit", EUROSAT, "--metric", "psnr_db", "--out", str(tmp_path / "fit.json")]
    assert main([*command, "--bootstraps", "20"]) == 0
    out = capsys.readouterr().out
    assert " * " in out
    assert "reference" in out
    assert "chosen   the simplest form" in out


def test_every_group_of_a_table_is_fitted_in_one_call(tmp_path, capsys):
    command = ["fit", EUROSAT, "--group-by", "metric,receiver", "--form", "capped", "--json"]
    options = ["--bootstraps", "20", "--out", str(tmp_path / "fits")]
    assert main([*command, *options, "--csv", str(tmp_path / "fits.csv")]) == 0
    table = (tmp_path / "fits.csv").read_text().splitlines()
    assert table[0] == "metric,receiver,task,form,outcome,points,range,rmse,held_out,out"
    assert len(table) == 4
    fits = json.loads(capsys.readouterr().out)["fits"]
    assert [(f["metric"], f["receiver"]) for f in fits] == [
        ("psnr_db", "none"), ("accuracy", "clean"), ("accuracy", "matched"),
    ]  # fmt: skip
    assert sorted(p.name for p in (tmp_path / "fits").iterdir()) == [
        "accuracy-clean.json", "accuracy-matched.json", "psnr_db.json",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("option", "says"),
    [
        (["--task", "matched"], "--task matched is now --receiver matched"),
        (["--where", "task=matched"], "--where task=… is now --where receiver=…"),
    ],
)
def test_the_old_spelling_of_a_receiver_is_understood_and_corrected(tmp_path, capsys, option, says):
    out = ["--form", "additive", "--bootstraps", "0", "--json", "--out", str(tmp_path / "fit.json")]
    assert main(["fit", EUROSAT, *option, *out]) == 0
    said = capsys.readouterr()
    assert says in said.err
    assert (json.loads(said.out)["receiver"], json.loads(said.out)["task"]) == (
        "matched",
        "unknown",
    )


def test_a_joint_fit_leaves_a_prior_that_serves_a_new_group_of_few_points(tmp_path, capsys):
    shared = tmp_path / "fits" / "shared.json"
    joint = ["fit", EUROSAT, "--group-by", "metric,receiver", "--joint", "--form", "capped"]
    options = ["--bootstraps", "20"]
    assert main([*joint, *options, "--out", str(tmp_path / "fits")]) == 0
    assert str(shared) in capsys.readouterr().out
    few = tmp_path / "new.csv"
    lines = (DATA / "eurosat_surface.csv").read_text().splitlines()
    matched = [line for line in lines if ",matched," in line]
    few.write_text("\n".join([lines[0], *matched[::4]]) + "\n")
    assert main(["fit", str(few), "--form", "capped"]) == 2
    assert "too few points" in capsys.readouterr().err
    assert main(["fit", str(few), "--prior", str(shared), *options]) == 0
    assert "accuracy (matched): 6 points" in capsys.readouterr().out


def test_foreign_columns_are_mapped(tmp_path, capsys):
    table = tmp_path / "theirs.csv"
    rows = [f"{k},{snr},{100 / (1 + 2.7 ** (-snr / 4 - k / 8))}" for k in (4, 8, 16, 32)
            for snr in range(-10, 21, 5)]  # fmt: skip
    table.write_text("\n".join(["symbols,SNR,acc", *rows]) + "\n")
    columns = "cr=symbols/96,snr_db=SNR,value=acc/100"
    command = ["fit", str(table), "--form", "additive", "--bootstraps", "0"]
    assert main(command) == 2
    assert "--columns" in capsys.readouterr().err
    assert main([*command, "--columns", columns]) == 0
    assert capsys.readouterr().out.startswith("accuracy: 28 points, 4 CR × 7 SNR")


def test_a_report_is_a_folder_with_a_page(tmp_path, capsys):
    command = ["fit", EUROSAT, "--metric", "psnr_db", "--form", "capped", "--bootstraps", "20"]
    options = ["--out", str(tmp_path / "fit.json"), "--report", str(tmp_path / "report")]
    assert main([*command, *options]) == 0
    assert "README.md" in capsys.readouterr().out
    assert len(list((tmp_path / "report").glob("*.png"))) >= 5


def test_a_report_that_has_no_place_is_refused_before_the_fit(tmp_path, capsys):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("years of work")
    out = tmp_path / "fit.json"
    command = ["fit", EUROSAT, "--metric", "psnr_db", "--out", str(out)]
    assert main([*command, "--report", str(tmp_path / "mine")]) == 2
    assert "holds no report" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (["predict", "FIT", "--cr", "1/12"], "takes two of --cr, --snr-db and --target"),
        (["predict", "FIT", "--cr", "0", "--snr-db", "4"], "--cr = 0"),
        (["predict", "FIT", "--cr", "1/x", "--snr-db", "4"], "--cr = '1/x'"),
        (["predict", "FIT", "--cr", "1/6", "--snr-db", "four"], "argument --snr-db"),
        (["predict", "FIT", "--cr", "1/6", "--snr-db", "nan"], "give a finite"),
        (["predict", "FIT", "--cr", "1/6", "--snr-db", "4", "--interval", "95"], "interval = 95"),
        (["predict", "FIT", "--cr", "1/6", "--snr-db", "4", "--plot", "a.bmp"], "a.bmp"),
        (["predict", "none.json", "--cr", "1/6", "--snr-db", "4"], "cannot read none.json"),
        (["fit", "none.csv"], "none.csv: no such table"),
        (["fit", EUROSAT, "--metric", "ssim"], "choose --metric from accuracy, psnr_db"),
        (["fit", EUROSAT, "--receiver", "x"], "choose --receiver from clean, matched"),
        (["fit", EUROSAT, "--form", "x"], "no such form"),
        (["fit", EUROSAT, "--where", "cr"], "write COLUMN=VALUE"),
        (["fit", EUROSAT, "--frm", "x"], "unrecognized arguments: --frm"),
        (["fit"], "needs a TABLE or a RUN"),
        (["fit", EUROSAT, "--confidence", "95"], "a level lies in (0, 1)"),
        (["fit", EUROSAT, "--bootstraps", "-1"], "give 0 to 5000"),
        (["fit", EUROSAT, "--seed", "-1"], "--seed -1: give 0"),
        (["fit", EUROSAT, "--report", "."], "holds the folder that you are in"),
        (["fit", EUROSAT, "--report", "r", "--out", "r/f.json"], "in the folder of --report"),
        (["fit", EUROSAT, "--joint"], "add --group-by"),
        (["fit", EUROSAT, "--rule", "best", "--receiver", "clean"], "no such rule"),
        (["fit", EUROSAT, "--plot", "a.bmp"], "name a picture"),
        (["fit", EUROSAT, "--columns", "x"], "--columns"),
        (["fit", EUROSAT, "--prior", "none.json"], "cannot read none.json"),
        (["measure"], "invalid choice: 'measure'"),
        (["plan"], "required: QUESTION"),
    ],
)  # fmt: skip
def test_bad_input_ends_with_2_and_one_clear_line(fits, capsys, command, says):
    command = [str(fits / "psnr_db.json") if word == "FIT" else word for word in command]
    assert main(command) == 2
    streams = capsys.readouterr()
    assert says in streams.err
    assert streams.err.startswith("semloss: ")
    assert streams.err.count("\n") == 1
    assert streams.out == ""


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


def test_predict_loads_nothing_heavier_than_numpy(fits):
    program = (
        "import sys; from semloss.cli import main\n"
        "code = main(['predict', sys.argv[1], '--cr', '1/6', '--snr-db', '4'])\n"
        "heavy = {'torch', 'pandas', 'scipy', 'pydantic', 'matplotlib', 'seaborn', 'lmfit'}\n"
        "sys.exit(code or sorted(heavy & set(sys.modules)) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, fits / "psnr_db.json"], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_reader_that_has_had_enough_is_no_error(fits):
    predict = f"{sys.executable} -m semloss predict {fits / 'psnr_db.json'} --cr 1/6 --snr-db 4"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {predict} | true"], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_place_that_is_no_file_is_left_alone(capsys):
    command = ["fit", EUROSAT, "--metric", "psnr_db", "--form", "additive", "--bootstraps", "0"]
    assert main([*command, "--out", "/dev/full"]) == 2
    assert "no regular file" in capsys.readouterr().err
    assert Path("/dev/full").is_char_device()
