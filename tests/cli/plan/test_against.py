"""`semloss plan against` as a link engineer meets it."""

import pytest
from plan_case import WEAK_LINK, X, refused, rows


def test_against_a_digital_chain(plan, answer, folder):
    words = ("against", "curve.csv", *WEAK_LINK, "--codec", "jp2", "--target", "0.6")
    found = answer(*words, "--modcod", "QPSK 3/4", "--csv", "against.csv", "--plot", "map.png")
    assert (found["codec"], found["fixed_modcod"]) == ("jp2", "QPSK 3/4")
    assert found["race"]["images_per_s_deepjscc"] > 0
    assert found["link"]["vcm_modcod"]
    assert {row["winner"] for row in rows(folder / "against.csv")} <= {
        "deepjscc", "digital", "unknown",
    }  # fmt: skip
    kept = answer(*words, "--modcod-margin-db", "2")
    assert kept["link"]["bits_per_pixel"] < found["link"]["bits_per_pixel"]
    backed_off = (*words, "--set", "obo_db=3")
    equal = answer(*backed_off, code=3)  # neither reaches the target
    own = answer(*backed_off, "--digital-obo-db", "0")
    assert own["link"]["bits_per_pixel"] > equal["link"]["bits_per_pixel"]
    out = plan(*words, "--cr", "1/8")[1]
    assert "CR    1/8" in out
    assert "images/s" in out


def test_a_curve_alone_is_compared_with_the_links_own_fit(plan):
    words = (*X, "--set", "fit=eurosat-accuracy-clean", "--codec", "jp2", "--json")
    own = plan("against", "curve.csv", *words, fit=None)
    named = plan("against", "curve.csv", *words, fit="eurosat-accuracy-clean")
    assert own[:2] == named[:2]
    assert own[0] == 0


def test_without_a_curve_no_winner_is_named(plan, answer):
    found = answer("against", *WEAK_LINK)
    assert found["note"].startswith("no measured digital")
    assert {row["ahead_last"] for row in found["by_cr"]} == {"unknown"}
    assert "the digital chain may spend" in plan("against", *WEAK_LINK)[1]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["against", "none.csv", *X], "cannot read rate curve"),
        (["against", "curve.csv", *X], "choose a codec from jp2, jpeg"),
        (["against", *X, "--codec", "jp2"], "--codec needs CURVE"),
        (["against", *X, "--modcod", "QPSK"], "modcod = 'QPSK'"),
        (["against", *X, "--modcod-margin-db", "-1"], "'-1': give a finite number in 0 … 30 dB"),
        (["against", *X, "--digital-obo-db", "-1"], "'-1': give a finite number in 0 … 30 dB"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(plan, words, says):
    refused(plan(*words), says)


OVER = ("--link", "weak.toml", "--codec", "jp2", "--max-elevation", "60", "--step", "10")


def test_over_a_pass_both_chains_deliver_images(plan, answer, folder):
    words = ("against", "curve.csv", *OVER, "--target", "0.6")
    found = answer(*words, "--csv", "race.csv", "--plot", "race.png")
    table = rows(folder / "race.csv")
    assert float(table[-1]["images"]) == pytest.approx(found["images_deepjscc"])
    assert float(table[-1]["digital_images"]) == pytest.approx(found["images_digital"])
    assert found["ratio"] == pytest.approx(found["images_deepjscc"] / found["images_digital"])
    assert {row["modcod"] for row in table} == {s["modcod"] for s in found["digital_segments"]}
    text = plan(*words)[1].splitlines()
    assert text[0].startswith("accuracy (clean) at least 0.6, 0.5 dB of margin kept, over the pass")
    wider = answer(*words, "--modcods", "dvb-s2x")
    assert wider["images_digital"] >= found["images_digital"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("curve.csv", *OVER), "--max-elevation needs --target"),
        ((*OVER[:2], *OVER[4:], "--target", "0.6"), "--max-elevation needs CURVE"),
        (("curve.csv", *OVER, "--target", "0.6", "--cr", "1/8"), "--max-elevation contradicts"),
        (("curve.csv", *WEAK_LINK, "--codec", "jp2", "--step", "9"), "--step needs"),
        (("curve.csv", *WEAK_LINK, "--codec", "jp2", "--crs", "1/8"), "--crs needs"),
        (("curve.csv", *WEAK_LINK, "--codec", "jp2", "--modcods", "s3"), "no MODCODs 's3'"),
        (("curve.csv", *OVER, "--target", "0.6", "--set", "elevation_deg=9"), "the pass gives it"),
    ],
)  # fmt: skip
def test_a_race_that_cannot_be_meant_is_refused(plan, words, says):
    refused(plan("against", *words), says)
