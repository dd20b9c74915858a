"""`semloss plan adaptive` as a link engineer meets it."""

import pytest
from plan_case import EPOCH, HIGH, T, X, refused, rows


def test_the_coding_table_alone_needs_no_pass(plan, answer, folder):
    words = ("adaptive", "--link", "weak.toml", "--target", "0.6")
    found = answer(*words, "--crs", "1/4,1/8,1/16", "--hysteresis-db", "1", "--csv", "table.csv")
    table = found["table"]
    assert [row["row"] for row in table] == ["off", "1/4", "1/8", "1/16"]
    assert all(row["up_db"] == row["down_db"] + 1 for row in table[1:])
    assert table[0]["down_db"] is None
    assert [row["row"] for row in rows(folder / "table.csv")] == ["off", "1/4", "1/8", "1/16"]
    code, out, _ = plan(*words, "--plot", "table.png")
    assert code == 0
    assert "0.50 dB of margin kept, 0.5 dB of hysteresis" in out


def test_the_schedule_delivers_more_than_any_fixed_cr(plan, answer, folder):
    words = ("adaptive", "--link", "weak.toml", "--target", "0.6", "--max-elevation", "70")
    found = answer(*words, "--plot", "adaptive.png", "--csv", "series.csv")
    schedule = found["schedule"]
    assert schedule["images_delivered"] > schedule["best_fixed_images"] > 0
    assert found["fixed"]["images_delivered"] == pytest.approx(
        schedule["best_fixed_images"], rel=0.05
    )
    series = rows(folder / "series.csv")
    assert float(series[-1]["adaptive_images"]) == pytest.approx(schedule["images_delivered"])
    beside = rows(folder / "adaptive.csv")  # the picture's table, of twelve digits
    assert [list(row) for row in beside] == [list(row) for row in series]
    for name in ("snr_db", "value", "images", "adaptive_images"):
        assert [float(row[name]) for row in beside] == pytest.approx(
            [float(row[name]) for row in series], rel=1e-11, abs=1e-9
        )
    assert "of the best fixed CR" in plan(*words)[1]
    held = answer(*words, "--fading", "rician:10", "--hold-percent", "95")
    assert held["margin_db"] > found["margin_db"] + 1
    assert held["schedule"]["images_delivered"] < schedule["images_delivered"]


def test_the_schedule_of_a_day_and_of_a_two_line_set(plan, answer, folder):
    words = ("adaptive", "--link", "weak.toml", "--target", "0.6")
    day = answer(*words, "--day", "--step", "10", "--csv", "days.csv")
    assert day["images_delivered_per_day"] > day["best_fixed_images_per_day"] > 0
    assert len(rows(folder / "days.csv")) == len(day["passes"])
    code, out, err = plan(*words, "--tle", "iss.tle", *EPOCH, "--step", "10", "--plot", "high.png")
    assert code == 0, err
    assert "times the" in out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["adaptive", *X], "required: --target"),
        (["adaptive", *X, *T, "--cr", "1/6"], "unrecognized arguments: --cr"),
        (["adaptive", *X, *T, "--crs", ","], "at least one candidate"),
        (["adaptive", *X, *T, "--fading", "rayleigh"], "--fading needs --hold-percent"),
        (["adaptive", *X, *T, "--hold-percent", "9"], "--hold-percent needs --fading"),
        (["adaptive", *X, *T, *HIGH, "--day"], "--day contradicts --max-elevation"),
        (["adaptive", *X, *T, "--step", "5"], "--step needs --max-elevation or --day or --tle"),
        (["adaptive", *X, *T, "--min-elevation", "0"], "--min-elevation needs"),
        (["adaptive", *X, *T, "--inclination", "98"], "--inclination needs"),
        (["adaptive", *X, *T, "--day", "--days", "2"], "--days needs --tle"),
        (["adaptive", *X, *T, "--hysteresis-db", "-1"], "give a finite number in 0 … 30 dB"),
        (["adaptive", *X, *T, "--day", "--tle", "iss.tle"], "different passes"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(plan, words, says):
    refused(plan(*words), says)


SURE = ("adaptive", "--link", "weak.toml", *T, *HIGH, "--until-sure", "sure.csv")


def test_layers_with_feedback_stand_beside_the_adaptive_plan(plan, answer, folder):
    found = answer(*SURE, "--csv", "feedback.csv", "--plot", "feedback.png")
    alone = answer(*SURE[:-2])
    assert found["images_adaptive"] == alone["schedule"]["images_delivered"]
    assert found["best_fixed_images"] == alone["schedule"]["best_fixed_images"]
    assert found["images_low"] < found["images_until_sure"] < found["images_high"]
    along = rows(folder / "feedback.csv")
    assert float(along[-1]["images_until_sure"]) == pytest.approx(found["images_until_sure"])
    code, out, err = plan(*SURE, "--return-kbps", "0.5")
    assert code == 0
    assert "until sure for each" in out
    assert "return link 0.5 kb/s, 1 bit for each layer of each tile, 10 ms to decide" in out
    assert "keeps images back; raise --return-kbps" in err


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("--target", "0.89"), 3, "reaches an accuracy of 0.89: the most is 0.88"),
        (("--until-sure", "curve.csv"), 2, "is no curve until sure"),
        (
            ("--fading", "rician:10", "--hold-percent", "95"),
            2,
            "its layers stop at an SNR that is known",
        ),
        (("--confidence", "0.9"), 2, "its curve tells what test images read"),
        (("--return-kbps", "0"), 2, "give a finite number in 0.001"),
    ],
)
def test_feedback_that_cannot_be_planned_is_one_line(plan, words, code, says):
    found, out, err = plan(*SURE, *words)
    assert (found, out) == (code, "")
    assert says in err.splitlines()[-1]


def test_a_way_back_needs_layers_that_stop(plan):
    refused(plan("adaptive", *X, *T, *HIGH, "--return-kbps", "3"), "needs --until-sure")
    refused(plan("adaptive", *X, *T, "--until-sure", "sure.csv"), "needs --max-elevation")
