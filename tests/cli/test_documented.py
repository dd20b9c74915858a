"""Every command that README files and the Makefile show is one that the parser takes.

Those that train nothing also run, in the order of the README, in an empty folder.
"""

import io
import re
import shlex
from pathlib import Path

import pytest
from plan_case import CURVE, TLE

import semloss.cli
from semloss.cli import _joined, _parser, main

ROOT = Path(semloss.cli.__file__).parents[2]
TEXTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "Makefile",
         *sorted((ROOT / "data").rglob("README.md")), ROOT / "fits" / "README.md"]  # fmt: skip
MAKE = {"$(BIN)/": "", "$(DEMO)": "runs/demo", "$(REFERENCE)": "runs/eurosat", "$(TILES)": "tiles",
        "$(SHIPPED)": "fits"}  # fmt: skip
#: What stands for the reader's own files.
OWN = {"FIT.json": "eurosat-accuracy", "FIT": "eurosat-accuracy", "runs/NAME": "table",
       "runs/demo": "table", "metric,receiver": "metric,receiver"}  # fmt: skip


def commands(path):
    """The command lines of a text: whole lines of code, lines of recipes, and code in prose."""
    text = path.read_text(encoding="utf-8")
    if path.name == "Makefile":
        for name, value in MAKE.items():
            text = text.replace(name, value)
        text = text.replace("\\\n", " ")
        return re.findall(r"^\t@?(semloss .*)$", text, re.M)
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.M | re.S)
    blocks = "".join(code for language, code in fenced if not language)
    lines = re.findall(r"^(semloss (?!EXPERIMENT).*?)(?:\s+#.*)?$", blocks, re.M)
    prose = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    return lines + [c for c in re.findall(r"`(semloss [^`]+)`", prose) if " -" in c]


SHOWN = [(path.name, line) for path in TEXTS for line in commands(path)]


def words_of(line):
    """The words of a command line, without where its streams go."""
    return shlex.split(re.sub(r"\s+[<>]\s+\S+", "", line))[1:]


def test_commands_are_found():
    names = [name for name, _ in SHOWN]
    assert names.count("README.md") > 25
    assert names.count("Makefile") > 5


@pytest.mark.parametrize(("name", "line"), SHOWN)
def test_every_command_that_is_shown_is_one(name, line, capsys):
    words = _joined(words_of(line))
    try:
        _parser(words).parse_args(words)
    except SystemExit:
        pytest.fail(f"{name}: {line}: {capsys.readouterr().err}")


@pytest.fixture(scope="module")
def newcomer(tmp_path_factory):
    """An empty folder but for what the reader brings, a table, elements, a curve, and data/."""
    folder = tmp_path_factory.mktemp("newcomer")
    (folder / "table").mkdir()
    few = (ROOT / "data" / "eurosat-awgn" / "metrics.csv").read_text().splitlines()
    # three surfaces of the eleven: the commands are what is tested, not the forms
    few = [few[0], *(line for line in few[1:] if ",psnr_db," in line or ",accuracy," in line)]
    (folder / "table" / "metrics.csv").write_text("\n".join(few) + "\n")
    theirs = "symbols,SNR,acc\n" + "".join(
        f"{k},{snr},{100 / (1 + 2.7 ** (-snr / 4 - k / 256))}\n"
        for k in (128, 256, 512) for snr in range(-10, 21, 5)
    )  # fmt: skip
    for k in (24, 12, 6):
        rows = [f"{snr},psnr_db,{20 + snr / 4 + 24 / k}" for snr in (-4, 0, 4, 8)]
        (folder / f"cr1_{k}.csv").write_text("\n".join(["snr_db,metric,value", *rows]))
    (folder / "theirs.csv").write_text(theirs)
    own = [line for line in few[1:] if ",accuracy," in line and ",matched," in line][::8]
    (folder / "new.csv").write_text("\n".join([few[0], *own]) + "\n")
    (folder / "sat.tle").write_text(TLE)
    (folder / "jpeg2000.csv").write_text(CURVE.replace("jpeg", "webp").replace("clean", "matched"))
    (folder / "cases.csv").write_text("id,elevation_deg\na,30\nb,60\n")
    (folder / "data").symlink_to(ROOT / "data")
    return folder


_TRAINED = tuple(f"semloss {one}" for one in ("collect", "send", "export", "sure"))
_OF_A_RUN = ("--new-tasks", "--receptions")
#: In the order of the README; `collect` trains, others need its run, and TLEs age.
RUN = [line for name, line in SHOWN if name == "README.md"
       and not line.startswith(_TRAINED) and not any(one in line for one in _OF_A_RUN)]  # fmt: skip


@pytest.mark.parametrize("line", RUN)
def test_what_trains_nothing_runs_in_an_empty_folder(newcomer, monkeypatch, capsys, line):
    monkeypatch.chdir(newcomer)
    words = [OWN.get(word, word) for word in words_of(line)]
    if words[0] == "fit" and "list" not in words:
        words += ["--bootstraps", "20"]
    if "--saved" in words:  # what is saved is tested elsewhere
        words += ["--form", "capacity_unified"]
    if "--tle" in words:
        words += ["--start", "2014-01-21T00:00"]
    if "jpeg2000.csv" in words:
        words += ["--codec", "jp2"]
    source = re.search(r" < (\S+)", line)
    if source:
        stream = io.TextIOWrapper(io.BytesIO(Path(source[1]).read_bytes()))
        monkeypatch.setattr("sys.stdin", stream)
    code = main(words)
    streams = capsys.readouterr()
    assert code == 0, streams.err
    target = re.search(r" > (\S+)", line)
    if target:
        Path(target[1]).write_text(streams.out)
