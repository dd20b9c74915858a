"""What a question would pass over, what is said twice, and places without an answer: refused."""

import pytest
from plan_case import EPOCH, T, X, refused
from planning_case import link

from semloss.errors import SemlossError

TLE = ("--tle", "iss.tle", *EPOCH)
ITU = (
    "atmosphere_model=itu", "zenith_losses=", "gas_loss_db=", "cloud_loss_db=",
    "scintillation_loss_db=", "r001_mm_h=", "rain_height_km=",
)  # fmt: skip


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("outage", *X, "--set", "availability_percent=99.9"), "every share of the year"),
        (("adaptive", *X, *T, "--set", "cr=1/8"), "the CRs are what it chooses"),
        (("solve", "power_dbw", *X, *T, "--set", "power_dbw=3"), "plan solve power_dbw asks for"),
        (("solve", "snr_db", *X, *T, "--set", "power_dbw=3"), "does not depend on it"),
        (("sweep", "obo_db=1:2:2", *X, "--set", "obo_db=3"), "--set obo_db: it is swept"),
        (("sweep", "cr=1/12:1/6:2", *X, "--cr", "1/8"), "--cr: cr is swept"),
        (("sweep", "target=.5:.6:2", *X, *T), "--target: target is swept"),
        (("pass", *X, "--max-elevation", "60", "--set", "elevation_deg=9"), "the pass gives it"),
        (("day", *X, *TLE, "--set", "height_km=700"), "the elements give it"),
    ],
    ids=str,
)  # fmt: skip
def test_a_key_that_a_question_would_pass_over_is_refused(plan, words, says):
    refused(plan(*words), says)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("ledger", *X, "--cr", "1/8", "--set", "cr=1/6"), "--cr and --set cr say the same"),
        (("ledger", *X, "--rain-loss-db", "1", "--set", "rain_loss_db=2"), "say the same"),
        (("ledger", *X, "--papr-db", "8", "--set", "papr_db=9"), "say the same"),
        (("day", *X, *TLE, "--site", "48,11", "--set", "station_lat_deg=3"), "--site says it"),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_said_twice_is_refused(plan, words, says):
    refused(plan(*words), says)


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"rain_height_km": 3.0}, "rain_height_km = 3 needs r001_mm_h"),
        ({"t_rain_k": 260.0}, "t_rain_k = 260 needs rain_warms_sky"),
        ({"required_eb_n0_db": 3.0}, "required_eb_n0_db = 3 needs bit_rate_mbps"),
        ({"pj_per_mac": 3.0}, "pj_per_mac = 3 needs encoder_mmac"),
    ],
)
def test_a_key_without_effect_is_refused(keys, says):
    with pytest.raises(SemlossError) as caught:
        link(**keys)
    assert says in str(caught.value)


def test_rain_that_is_given_drops_all_of_its_statistics(plan):
    """A link by statistics takes a rain of one's own without a word on their other keys."""
    assert plan("ledger", *X, "--rain-loss-db", "1")[0] == 0


def test_elements_without_an_epoch_are_refused_as_json_and_csv(plan, folder):
    fields = {"OBJECT_NAME": "A", "NORAD_CAT_ID": "1", "MEAN_MOTION": "15", "ECCENTRICITY": "0",
              "INCLINATION": "51", "RA_OF_ASC_NODE": "0", "ARG_OF_PERICENTER": "0",
              "MEAN_ANOMALY": "0"}  # fmt: skip
    (folder / "o.csv").write_text(f"{','.join(fields)}\n{','.join(fields.values())}\n")
    told = ",".join(f'"{name}":"{value}"' for name, value in fields.items())
    (folder / "o.json").write_text(f"[{{{told}}}]")
    for name in ("o.csv", "o.json"):
        refused(plan("day", *X, "--tle", name), f"{name}: OMM of A: EPOCH is missing")


def test_a_station_off_the_maps_is_refused(plan):
    pytest.importorskip("itur")
    words = [word for key in ITU for word in ("--set", key)]
    at = ("--set", "station_lat_deg=-90", "--set", "station_lon_deg=180")
    refused(plan("ledger", *X, *words, *at), "station_lat_deg = -90, station_lon_deg = 180: the")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("pass", *X, "--max-elevation", "5"), "does not rise above the lowest usable 10 deg"),
        (("pass", *X, "--max-elevation", "-5"), "give a finite number in 0 … 90"),
        (("day", *X, "--set", "station_lat_deg=89", "--inclination", "20"), "never rises above"),
        (("solve", "power_dbw", *X, *T, "--max-elevation", "5", "--images-per-pass", "1"),
         "does not rise above"),
    ],
    ids=str,
)  # fmt: skip
def test_a_pass_below_the_horizon_is_refused(plan, words, says):
    refused(plan(*words), says)
