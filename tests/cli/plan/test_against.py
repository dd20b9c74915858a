"""`semloss plan against` as a link engineer meets it."""

from dataclasses import replace

import pytest
from plan_case import CURVE, WEAK_LINK, T, X, refused, rows
from planning_case import accuracy

from semloss.channels import Amplifier
from semloss.codecs.modems import modem_losses
from semloss.modcods import DVB_S2
from semloss.planning.link.template import preset_text
from semloss.surfaces.files.fit_file import save


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


def test_an_amplifier_gives_each_modcod_a_back_off_of_its_own(answer):
    """The MODCOD in use is the best of those that take no more than the SNR at saturation."""
    link = (*X, "--set", "obo_db=6")
    found = answer("against", *link, "--amplifier", "rapp")
    assert found["digital_through"].endswith("same amplifier, rapp")
    snr_db = answer("ledger", *link)["values"]["snr_db"] + 6
    losses = modem_losses(Amplifier(input_back_off_db=0), DVB_S2)
    needed = {one["modcod"]: one["snr_needed_db"] for one in losses}
    feasible = [one for one in DVB_S2.entries if needed[one.name] <= snr_db]
    best = max(feasible, key=lambda one: one.efficiency)
    assert found["link"]["vcm_modcod"] == best.name
    # more than by the decibel that was assumed of PSK, less than without any loss
    assert best.es_n0_db < needed[best.name] < best.es_n0_db + 6
    strict = answer("against", *link, "--amplifier", "rapp", "--acpr-limit-dbc", "-35")
    assert strict["link"]["bits_per_pixel"] < found["link"]["bits_per_pixel"]


@pytest.fixture
def through(folder):
    """A fit that was measured through an amplifier."""
    fit = accuracy()
    fit = replace(fit, provenance=dict(fit.provenance) | {"channel": "rapp-ibo2dB-from-awgn"})
    save(fit, folder / "through.json")
    return "through.json"


def test_a_fit_through_an_amplifier_brings_its_own(plan, answer, through, folder):
    found = answer("against", *X, "--set", "obo_db=0", fit=through)
    assert found["digital_through"].endswith("same amplifier, rapp")
    assumed = answer("against", *X, "--set", "obo_db=0", "--digital-obo-db", "0", fit=through)
    assert assumed["digital_through"] is None
    assert assumed["link"]["bits_per_pixel"] >= found["link"]["bits_per_pixel"]
    # a preset's back-off is a rule for linear codecs, a file's is meant
    words = ("--max-elevation", "60", "--step", "20", *T)
    code, out, err = plan("pass", *X, *words, fit=through)
    assert code == 0
    assert "the fit has its amplifier's, 2 dB at the input of rapp-from-awgn" in err
    assert "back-off 2 dB at the input of rapp-from-awgn, in the metric" in out
    assert out == plan("pass", *X, *words, "--set", "obo_db=0", fit=through)[1]
    (folder / "own.toml").write_text(preset_text("eo-leo-x-band"))
    assert "would count twice; set obo_db = 0" in plan(
        "ledger", "--link", "own.toml", fit=through)[2]  # fmt: skip


def test_both_chains_are_read_by_one_receiver(plan, folder):
    named = CURVE.replace("task", "task,receiver", 1).replace(",clean,", ",resnet8,clean,")
    (folder / "named.csv").write_text(named)
    (folder / "untold.csv").write_text(named.replace(",clean,", ",,"))
    words = ("--link", "eo-leo-x-band", "--codec", "jp2")
    matched = "eurosat-accuracy"
    refused(plan("against", "named.csv", *words, fit=matched), "semloss fit --receiver clean")
    told = "receivers the fit's is matched, the curve tells none"
    assert told in plan("against", "untold.csv", *words, fit=matched)[1]
    flown = ("--target", "0.7", "--max-elevation", "60", "--step", "20")
    assert told in plan("against", "untold.csv", *words, *flown, fit=matched)[1]
    assert "receivers" not in plan("against", "named.csv", *words, fit=f"{matched}-clean")[1]


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
        (["against", *X, "--amplifier", "twt"], "--amplifier twt: give rapp or saleh"),
        (["against", *X, "--acpr-limit-dbc", "-25"], "needs --amplifier, or a fit through one"),
        (["against", *X, "--amplifier", "rapp", "--modcods", "dvb-s2x"], "only the rings of"),
        (["against", *X, "--amplifier", "rapp", "--digital-obo-db", "1"], "computed, or given"),
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
