"""Commands as they were spelled before `semloss plan`."""

import pytest
from plan_case import HIGH, WEAK_LINK

from semloss.cli import main
from semloss.cli.old_spelling import translated


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("predict F --link L --pass 60 --cr 1", "plan pass F --link L --max-elevation 60 --cr 1"),
        ("predict F --link L --pass=60", "plan pass F --link L --max-elevation 60"),
        ("predict F --link L --day", "plan day F --link L"),
        ("predict F --link L --tle S --days 3", "plan day F --link L --tle S --days 3"),
        ("predict F --link L --adaptive --pass 60", "plan adaptive F --link L --max-elevation 60"),
        ("predict F --link L --adaptive --day", "plan adaptive F --link L --day"),
        ("predict F --link L --outage --pass 60", "plan outage F --link L --max-elevation 60"),
        ("predict F --link L --against c.csv --cr 1/8", "plan against F c.csv --link L --cr 1/8"),
        ("predict F --link L --against --cr 1/8", "plan against F --link L --cr 1/8"),
        ("predict F --sweep a=1:2:3 --sweep b=1:2:3", "plan sweep F a=1:2:3 b=1:2:3"),
        ("predict F --link L --tornado", "plan tornado F --link L"),
        ("predict F --link L --monte-carlo 500", "plan monte-carlo F --link L --draws 500"),
        ("predict F --link L --monte-carlo --seed 1", "plan monte-carlo F --link L --seed 1"),
        ("predict F --cases - --target .5", "plan cases F - --target .5"),
        ("predict --template l.toml", "plan template l.toml"),
        ("predict --preset list", "plan template --preset list"),
        ("allocate u.toml --json", "plan allocate u.toml --json"),
        ("predict F --link L --target .5", "predict F --link L --target .5"),
        ("predict F --cr 1/12 --snr-db 4", "predict F --cr 1/12 --snr-db 4"),
        ("fit t.csv", "fit t.csv"),
    ],
)  # fmt: skip
def test_what_was_spelled_otherwise_is_understood(old, new):
    assert translated(old.split()) == new.split()


def test_the_old_spelling_gives_the_same_answer_and_says_the_new_one(plan, folder, capsys):
    new = plan("pass", "--link", "weak.toml", *HIGH, "--target", "at least 0.3")
    old = ["predict", "fit.json", "--link", "weak.toml", "--pass", "40", "--target", "at least 0.3"]
    code = main(old)
    streams = capsys.readouterr()
    assert (code, streams.out) == new[:2]
    assert streams.err.splitlines() == [
        "semloss: this is now spelled: semloss plan pass fit.json --link weak.toml "
        "--max-elevation 40 --target 'at least 0.3'"
    ]


def test_the_new_spelling_is_told_after_what_went_wrong_too(plan, folder, capsys):
    (folder / "bad.csv").write_text("elevation_deg\n10\n-3\n")
    assert main(["predict", "fit.json", "--cases", "bad.csv", *WEAK_LINK]) == 2
    told = capsys.readouterr().err.splitlines()
    assert "1 bad" in told[0]
    assert told[1].startswith("semloss: this is now spelled: semloss plan cases fit.json bad.csv")
