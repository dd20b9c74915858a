"""`semloss plan solve` as a link engineer meets it."""

import json

import pytest
from plan_case import EPOCH, WEAK_LINK, T, X, refused
from planning_case import accuracy


@pytest.mark.parametrize(
    ("unknown", "worse"),
    [
        ("eirp_dbw", -0.1), ("power_dbw", -0.1), ("rx_dish_m", -0.05), ("bandwidth_mhz", 3.0),
        ("range_km", 50.0), ("elevation_deg", -1.0), ("availability_percent", 0.05),
        ("cr", -0.005), ("snr_db", -0.1),
    ],
)  # fmt: skip
def test_what_is_solved_for_meets_the_target_and_less_misses_it(answer, unknown, worse):
    target = "0.6" if unknown == "cr" else "0.68"
    link = ["--link", "weak.toml", "--set", "margin_db=0"]
    if unknown == "availability_percent":  # a band where rain matters
        link += ["--set", "freq_ghz=20", "--set", "power_dbw=5"]
    if unknown != "elevation_deg":
        link += ["--set", "elevation_deg=20"]
    found = answer("solve", unknown, *link, "--target", target)
    assert not found["at_edge"]
    assert found["metric_value"] == pytest.approx(float(target), abs=1e-6)
    assert found["low"] <= found["value"] <= found["high"]

    def metric(value):
        if unknown == "snr_db":
            return accuracy().predict(cr=1 / 12, snr_db=value).value
        words = ("--cr", repr(value)) if unknown == "cr" else ("--set", f"{unknown}={value!r}")
        return answer("ledger", *link, *words)["values"]["metric"]

    assert metric(found["value"]) == pytest.approx(float(target), abs=1e-6)
    assert metric(found["value"] + worse) < float(target) - 1e-5


def test_confidence_asks_for_more_and_the_ledger_shows_the_answer(plan, answer, folder):
    words = ("solve", "power_dbw", *WEAK_LINK, "--target", "0.65")
    plain, sure = answer(*words), answer(*words, "--confidence", "0.95", "--interval", "0.9")
    assert plain["value"] < sure["value"]
    assert (sure["confidence"], sure["interval"]) == (0.95, 0.9)
    code, out, _ = plan(*words, "--ledger", "solved.json")
    assert code == 0
    assert out.startswith("smallest power_dbw = ")
    assert out.splitlines()[1] == "for accuracy (clean) at least 0.65, 0.5 dB of margin kept"
    told = json.loads((folder / "solved.json").read_text())["rows"]
    values = {row["key"]: row["value"] for row in told}
    assert values["power_dbw"] == pytest.approx(plain["value"])
    assert values["excess_db"] == pytest.approx(0.0, abs=1e-6)


def test_images_a_second_make_a_smallest_bandwidth(answer):
    link = (*WEAK_LINK, "--set", "cr=", "--set", "images_per_s=312.5")
    found = answer("solve", "bandwidth_mhz", *link, "--target", "0.6")
    assert found["sense"] == "smallest"
    assert found["value"] == pytest.approx(312.5 * 3 * 512 * 512 * found["cr"] * 1.2e-6)


def test_out_of_reach_ends_with_3_and_the_nearest(plan):
    weaker = ("--link", "weak.toml", "--set", "power_dbw=-30", "--target", "0.7")
    code, out, err = plan("solve", "elevation_deg", *weaker)
    assert (code, out, err.count("\n")) == (3, "", 1)
    assert "not attainable by elevation_deg, because" in err
    assert "nearest is accuracy = 0." in err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["solve", "power_dbw", *X], "required: --target"),
        (["solve", "gain", *X, *T], "cannot solve for gain: choose one of"),
        (["solve", "rx_dish_m", *X, *T], "g_over_t_db_k = 35 settles it"),
        (["solve", "cr", *X, "--cr", "1/6", *T], "leave --cr away"),
        (["solve", "snr_db", *X, *T, "--ledger", "x.md"], "no ledger"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(plan, words, says):
    refused(plan(*words), says)


PASS = ("--max-elevation", "40", "--step", "5")


def test_images_of_a_pass_and_of_a_day_are_asked(plan, answer):
    words = ("solve", "power_dbw", "--link", "weak.toml", "--target", "0.6")
    one = answer(*words, *PASS, "--images-per-pass", "2000")
    assert one["images_delivered"] >= 2000 * (1 - 1e-9)
    assert one["result"]["max_elevation_deg"] == pytest.approx(40)
    day = answer(*words, "--images-per-day", "20000", "--step", "30")
    assert day["images_delivered_per_day"] >= 20000 * (1 - 1e-9)
    held = answer(*words, *PASS, "--hold-percent", "90", "--fading", "rician:10")
    assert held["met_s"] / held["contact_s"] == pytest.approx(0.9, abs=0.01)
    assert held["fading"] == "rician:10"
    text = plan(*words, *PASS, "--images-per-pass", "2000")[1].splitlines()
    assert text[0].startswith("smallest power_dbw = ")
    assert text[1].startswith("for 2,000 images a pass, accuracy (clean) at least 0.6")
    assert plan(*words, *PASS, "--images-per-pass", "1e9")[0] == 3


def test_images_of_a_satellites_own_passes_are_those_that_plan_day_finds(plan, answer):
    link = ("--link", "weak.toml", "--target", "0.6")
    flown = ("--tle", "iss.tle", *EPOCH, "--days", "2", "--step", "30")
    found = answer("solve", "power_dbw", *link, *flown, "--images-per-day", "20000")

    def a_day(power_dbw):
        day = answer("day", *link, *flown, "--set", f"power_dbw={power_dbw!r}")
        return day["images_delivered_per_day"]

    assert a_day(found["value"]) == pytest.approx(found["images_delivered_per_day"])
    assert a_day(found["value"]) >= 20000 * (1 - 1e-9) > a_day(found["value"] - 0.01)
    average = answer("solve", "power_dbw", *link, "--step", "30", "--images-per-day", "20000")
    assert found["value"] != pytest.approx(average["value"], abs=0.1)
    text = plan("solve", "power_dbw", *link, *flown, "--images-per-day", "20000")[1]
    assert "assumed    accuracy" in text
    assert "ISS (ZARYA), 2 days, in steps of 30 s" in text
    code, out, err = plan("solve", "power_dbw", *link, *flown, "--images-per-day", "1e9")
    assert (code, out) == (3, "")
    assert "1,000,000,000 images a day" in err.splitlines()[-1]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--tle", "iss.tle"), "--tle needs --images-per-day: what its passes are to bring"),
        (("--days", "2"), "--days needs --tle"),
        (("--images-per-pass", "9"), "--images-per-pass needs --max-elevation: which pass"),
        (("--hold-percent", "9"), "--hold-percent needs --max-elevation or --fading: of what"),
        (("--images-per-day", "9", *PASS), "--images-per-day contradicts --max-elevation"),
        ((*PASS, "--images-per-pass", "9", "--hold-percent", "9"), "--hold-percent contradicts"),
        ((*PASS, "--ledger", "a.md"), "--ledger contradicts --max-elevation"),
        (("--step", "9"), "--step needs --max-elevation or --images-per-day"),
    ],
)  # fmt: skip
def test_passes_of_a_question_that_cannot_be_meant(plan, words, says):
    refused(plan("solve", "power_dbw", "--link", "weak.toml", "--target", "0.6", *words), says)
