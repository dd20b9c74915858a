"""`semloss plan`: the planner as a link engineer meets it."""

import csv
import io
import json
import math
import subprocess
import sys

import pytest
from planning_case import accuracy, distance

from semloss.cli import main
from semloss.cli.old_spelling import translated
from semloss.cli.plan import QUESTIONS
from semloss.planning.link.template import preset_names
from semloss.surfaces.files import fit_file as fitfile

#: Rows of the published ledgers, as domain specialists print them.
DICE = """
name = "DICE"
[transmitter]
power_dbw = 0.0
tx_gain_dbi = -3.5
tx_line_loss_db = 0.5
[path]
freq_ghz = "465 MHz"
range_km = 1944
[atmosphere]
other_loss_db = 1.5
[receiver]
g_over_t_db_k = 9.03
[signal]
bit_rate_mbps = 1.5
required_eb_n0_db = 11.6
"""
EO = """
name = "X-band EO"
[transmitter]
power_dbw = "7 dBW"
tx_gain_dbi = 6
tx_line_loss_db = 1.5
[path]
freq_ghz = 8.2
height_km = 500
elevation_deg = 10
[atmosphere]
other_loss_db = 3.0
[receiver]
rx_dish_m = 3.0
rx_efficiency = 0.6
t_ant_k = 60
noise_figure_db = 1.5
[signal]
bit_rate_mbps = 50
required_eb_n0_db = 2.3
implementation_loss_db = 1.5
"""
PUBLISHED = {
    "dice.toml": {"eirp_dbw": "-4.00", "fspl_db": "151.57", "g_over_t_db_k": "9.03",
                  "c_n0_dbhz": "80.56", "eb_n0_db": "18.80", "digital_margin_db": "7.20"},
    "eo.toml": {"range_km": "1694.6", "eirp_dbw": "11.50", "fspl_db": "175.31",
                "rx_gain_dbi": "46.01", "t_sys_k": "179.6", "g_over_t_db_k": "23.46",
                "c_n0_dbhz": "85.26", "eb_n0_db": "8.27", "digital_margin_db": "4.47"},
}  # fmt: skip
#: A weak X-band link: at CR 1/12 its SNR runs over the fitted one along a pass.
WEAK = """
name = "weak"
[transmitter]
power_dbw = -6.0
tx_gain_dbi = 6.0
tx_line_loss_db = 1.5
[path]
freq_ghz = 8.2
height_km = 500
station_lat_deg = 48.1
station_lon_deg = 11.6
[atmosphere]
r001_mm_h = 35
availability_percent = 99
other_loss_db = 2.0
[receiver]
rx_dish_m = 3.0
t_ant_k = 60
noise_figure_db = 1.5
[signal]
bandwidth_mhz = 60
margin_db = 0.5
[image]
cr = "1/12"
[tolerances]
power_dbw = { normal = 0.3 }
other_loss_db = { triangular = [-0.5, 1.0] }
"""
CURVE = "bits_per_pixel,metric,task,codec,value\n" + "".join(
    f"{rate},accuracy,clean,{codec},{value}\n"
    for codec, worse in (("jp2", 0.0), ("jpeg", 0.05))
    for rate, value in ((0.05, 0.3), (0.2, 0.6), (0.6, 0.75), (1.5, 0.86), (3.0, 0.89))
    for value in (value - worse,)
)
EPOCH = ("--start", "2014-01-21T00:00")
TLE = """ISS (ZARYA)
1 25544U 98067A   14020.93268519  .00009878  00000-0  18200-3 0  5082
2 25544  51.6498 109.4756 0003572  55.9686 274.8005 15.49815350868473
"""
#: What an engineer may type beside a fit and a link, each way of asking once.
WEAK_LINK = ("--link", "weak.toml", "--set", "elevation_deg=20")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("plan")
    fitfile.save(accuracy(), place / "fit.json")
    fitfile.save(distance(), place / "lpips.json")
    texts = {"dice.toml": DICE, "eo.toml": EO, "weak.toml": WEAK, "curve.csv": CURVE,
             "iss.tle": TLE}  # fmt: skip
    for name, text in texts.items():
        (place / name).write_text(text)
    (place / "tolerances.toml").write_text("[tolerances]\npower_dbw = 1.0\n")
    return place


@pytest.fixture
def plan(folder, monkeypatch, capsys):
    """Run `semloss plan` in the folder; gives exit code, stdout and stderr."""
    monkeypatch.chdir(folder)

    def run(question, *words, fit="fit.json"):
        code = main(["plan", question, *([fit] if fit else []), *words])
        streams = capsys.readouterr()
        return code, streams.out, streams.err

    return run


@pytest.fixture
def answer(plan):
    """Run with --json; gives the object, whose numbers are all finite."""

    def refuse(word):
        raise AssertionError(f"{word} is no JSON")

    def run(*words, code=0, **options):
        found, out, err = plan(*words, "--json", **options)
        assert found == code, err
        assert out.count("\n") == 1
        return json.loads(out, parse_constant=refuse)

    return run


def rows(path):
    with path.open() as file:
        return list(csv.DictReader(file))


# ------------------------------------------------------------------------------- the ledger


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_ledgers_close_without_a_fit(answer, name):
    values = answer("ledger", "--link", name, fit=None)["values"]
    for key, printed in PUBLISHED[name].items():
        digits = len(printed.partition(".")[2])
        assert f"{values[key]:.{digits}f}" == printed


def test_a_preset_gives_a_ledger_from_amplifier_to_metric(plan, answer):
    code, out, err = plan("ledger", "--link", "eo-leo-x-band", "--target", ">= 0.5")
    assert (code, err) == (0, "")
    order = ["amplifier power", "EIRP", "free-space loss", "C/N0", "SNR, Es/N0",
             "images per second", "predicted accuracy (clean)", "margin in SNR to the target",
             "kept"]  # fmt: skip
    places = [out.index(text) for text in order]
    assert places == sorted(places)
    values = answer("ledger", "--link", "eo-leo-x-band", "--target", "0.5")["values"]
    assert values["snr_margin_db"] == values["snr_db"] - values["required_snr_db"]


def test_every_preset_is_at_hand(plan):
    code, out, _ = plan("template", "--preset", "list", fit=None)
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()[1:]] == preset_names()
    for name in preset_names():
        assert plan("ledger", "--link", name, "--cr", "1/12")[0] == 0


def test_settings_change_the_link_and_an_empty_one_unsets(answer):
    base = answer("ledger", "--link", "eo-leo-x-band")["values"]
    more = answer(
        "ledger", "--link", "eo-leo-x-band", "--set", "power_dbw=10 W", "--set", "obo_db="
    )
    assert more["values"]["eirp_dbw"] == pytest.approx(base["eirp_dbw"] + 10 * math.log10(2) + 3)
    dry = answer("ledger", "--link", "eo-leo-x-band", "--rain-loss-db", "0")["values"]
    assert dry["snr_db"] == pytest.approx(base["snr_db"] + base["rain_loss_db"])
    assert answer("ledger", "--link", "eo-leo-x-band", "--cr", "1/24")["values"]["cr"] == 1 / 24


def test_the_ledger_goes_into_every_kind_of_file(plan, folder):
    kinds = ("txt", "md", "csv", "json", "xlsx", "png")
    files = [word for kind in kinds for word in ("--ledger", f"ledger.{kind}")]
    code, out, _ = plan("ledger", *WEAK_LINK, *files, "--plot", "chart.png")
    assert code == 0
    assert (folder / "ledger.txt").read_text() == out
    value = {row["key"]: float(row["value"]) for row in rows(folder / "ledger.csv")}
    told = json.loads((folder / "ledger.json").read_text())["rows"]
    assert {row["key"]: row["value"] for row in told} == value
    assert (folder / "ledger.png").read_bytes() == (folder / "chart.png").read_bytes()
    assert (folder / "ledger.xlsx").stat().st_size > 5000


def test_warnings_go_to_stderr_and_into_the_json(plan):
    words = ("ledger", "--link", "eo-leo-x-band", "--papr-db", "9")
    code, out, err = plan(*words, "--json")
    assert code == 0
    assert err.startswith("semloss: obo_db = 3: symbols with a PAPR of 9 dB need 9.00 dB")
    assert err.count("\n") == 1
    assert json.loads(out)["warnings"] == [err.removeprefix("semloss: ").strip()]


def test_a_metric_that_falls_is_asked_at_most(answer, plan):
    asked = ("ledger", *WEAK_LINK, "--target", "at most 0.4")
    values = answer(*asked, "--set", "margin_db=0", fit="lpips.json")["values"]
    assert values["metric"] <= 0.4
    assert values["snr_margin_db"] >= 0
    # the margin that the link keeps counts
    kept = answer(*asked, fit="lpips.json", code=3)["values"]
    assert kept["snr_margin_db"] < kept["margin_db"]
    assert plan("ledger", *WEAK_LINK, "--target", "at least 0.4", fit="lpips.json")[0] == 2


def test_outside_the_domain_strict_ends_with_4(plan):
    words = ("ledger", "--link", "eo-leo-x-band", "--set", "elevation_deg=90")
    assert "NO" in plan(*words)[1]
    code, out, err = plan(*words, "--strict")
    assert (code, out) == (4, "")
    assert "outside the fitted domain" in err


# ------------------------------------------------------------------------------- the template


def test_the_template_is_a_link_to_start_from(plan, answer, folder):
    code, out, _ = plan("template", "new.toml", fit=None)
    assert code == 0
    assert "new.toml" in out
    assert answer("ledger", "--link", "new.toml", fit=None)["values"]["eirp_dbw"] > 0
    code, _, err = plan("template", "new.toml", fit=None)
    assert (code, err.count("\n")) == (2, 1)
    assert "new.toml exists" in err
    assert plan("template", "ka.toml", "--preset", "ka-band-leo", fit=None)[0] == 0
    assert "NISAR" in (folder / "ka.toml").read_text()
    assert plan("template", fit=None)[1] == (folder / "new.toml").read_text()


# ------------------------------------------------------------------------------- solve


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
    assert out.startswith("accuracy (clean) at least 0.65, 0.5 dB of margin kept\nsmallest power")
    told = json.loads((folder / "solved.json").read_text())["rows"]
    values = {row["key"]: row["value"] for row in told}
    assert values["power_dbw"] == pytest.approx(plain["value"])
    assert values["excess_db"] == pytest.approx(0.0, abs=1e-6)


def test_images_a_second_make_a_smallest_bandwidth(answer):
    link = (*WEAK_LINK, "--set", "cr=", "--set", "images_per_s=20000")
    found = answer("solve", "bandwidth_mhz", *link, "--target", "0.6")
    assert found["sense"] == "smallest"
    assert found["value"] == pytest.approx(20000 * 3 * 64 * 64 * found["cr"] * 1.2e-6)


def test_out_of_reach_ends_with_3_and_the_nearest(plan):
    weaker = (*WEAK_LINK, "--set", "power_dbw=-30", "--target", "0.7")
    code, out, err = plan("solve", "elevation_deg", *weaker)
    assert (code, out, err.count("\n")) == (3, "", 1)
    assert "not attainable by elevation_deg, because" in err
    assert "nearest is accuracy = 0." in err


# ------------------------------------------------------------------------------- over a pass


def test_a_pass_supplies_the_elevation_that_the_link_leaves_open(plan, answer, folder):
    assert (
        "give range_km, or height_km and elevation_deg" in plan("ledger", "--link", "weak.toml")[2]
    )
    words = ("pass", "--link", "weak.toml", "--max-elevation", "60", "--target", "0.6")
    words = (*words, "--csv", "pass.csv")
    found = answer(*words, "--plot", "pass.png", "--step", "2", "--min-elevation", "15")
    series = rows(folder / "pass.csv")
    assert float(series[0]["elevation_deg"]) == pytest.approx(15)
    assert max(float(row["elevation_deg"]) for row in series) == pytest.approx(60)
    assert float(series[2]["time_s"]) - float(series[1]["time_s"]) == pytest.approx(2)
    assert float(series[-1]["images"]) == pytest.approx(found["images_delivered"])
    assert 0 < found["met_s"] < found["contact_s"]
    assert (folder / "pass.png").is_file()
    code, out, _ = plan(*words)
    assert code == 0
    assert "accuracy (clean) at least 0.6 from " in out


def test_the_rotation_of_the_earth_and_fading_change_a_pass(answer):
    words = ("pass", "--link", "weak.toml", "--max-elevation", "60", "--target", "0.6")
    still = answer(*words)
    assert answer(*words, "--inclination", "97.4")["contact_s"] < still["contact_s"]
    faded = answer(*words, "--fading", "rician:6")
    assert faded["fading"] == "rician:6"
    assert faded["images_delivered"] != still["images_delivered"]


def test_a_day_adds_its_passes(plan, answer, folder):
    found = answer("day", "--link", "weak.toml", "--target", "0.6", "--csv", "day.csv")
    passes = rows(folder / "day.csv")
    total = sum(float(p["passes_per_day"]) * float(p["images_delivered"]) for p in passes)
    assert found["images_delivered_per_day"] == pytest.approx(total)
    assert 2 < found["passes_per_day"] < 8
    assert "a day: " in plan("day", "--link", "weak.toml")[1]


def test_a_two_line_set_gives_its_passes_over_a_site(plan, answer, folder):
    words = ("day", "--link", "weak.toml", "--tle", "iss.tle")
    found = answer(*words, "--start", "2014-01-21T00:00", "--days", "2", "--satellite", "25544")
    rises = [p["start_utc"] for p in found["passes"]]
    assert rises[0].startswith("2014-01-21T01:49")
    assert found["passes_per_day"] == len(rises) / 2
    here = plan(*words, *EPOCH, "--plot", "iss.png", "--csv", "iss.csv")
    assert here[0] == 0
    assert "draws the highest pass" in here[2]
    assert len(rows(folder / "iss.csv")) == here[1].count("2014-01-")
    south = plan(*words, *EPOCH, "--site", "-33.9,18.4,0.1")
    assert south[0] == 0
    assert "not of --site" in south[2]


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
    assert rows(folder / "adaptive.csv") == series
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


def test_outage_tells_what_is_exceeded_how_often(plan, answer, folder):
    words = ("outage", *WEAK_LINK, "--target", "0.6", "--fading", "shadowing:2")
    found = answer(*words, "--percents", "99,50,90", "--plot", "outage.png", "--csv", "out.csv")
    values = [row["value"] for row in found["exceeded"]]
    assert [row["percent"] for row in found["exceeded"]] == [50, 90, 99]
    assert values == sorted(values, reverse=True)
    assert [float(row["value"]) for row in rows(folder / "out.csv")] == values
    assert 0 < found["met_percent"] < 100
    code, out, _ = plan("outage", "--link", "weak.toml", "--max-elevation", "60")
    assert code == 0
    assert "culmination 60 deg" in out
    assert "99.9 %" in out


# ------------------------------------------------------------------------------- separation


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
    equal, own = answer(*backed_off), answer(*backed_off, "--digital-obo-db", "0")
    assert own["link"]["bits_per_pixel"] > equal["link"]["bits_per_pixel"]
    out = plan(*words, "--cr", "1/8")[1]
    assert "CR    1/8" in out
    assert "images/s" in out


def test_without_a_curve_no_winner_is_named(plan, answer):
    found = answer("against", *WEAK_LINK)
    assert found["note"].startswith("no measured digital")
    assert {row["ahead_last"] for row in found["by_cr"]} == {"unknown"}
    assert "the digital chain may spend" in plan("against", *WEAK_LINK)[1]


# ------------------------------------------------------------------------------- many points


def test_sweeps_over_one_field_and_two(plan, answer, folder):
    one = answer("sweep", "elevation_deg=10:90:5", "--link", "weak.toml", "--plot", "one.png")
    assert [row["elevation_deg"] for row in one["rows"]] == [10, 30, 50, 70, 90]
    snr = [row["snr_db"] for row in one["rows"]]
    assert snr == sorted(snr)
    words = ("sweep", "cr=1/32:1/8:3", "obo_db=0:4:2", *WEAK_LINK, "--target", "0.6")
    assert plan(*words, "--csv", "two.csv")[0] == 0
    table = rows(folder / "two.csv")
    assert [float(row["cr"]) for row in table[::2]] == pytest.approx([1 / 32, 1 / 16, 1 / 8])
    assert float(table[0]["snr_db"]) - float(table[1]["snr_db"]) == pytest.approx(4)
    alone = answer("sweep", "snr_db=-8:12:3", "--target", "0.6")
    assert alone["rows"][0]["cr"] is None  # not attainable there
    assert alone["rows"][1]["value"] == pytest.approx(0.6, abs=1e-6)


def test_the_tornado_names_what_matters(plan, answer):
    found = answer("tornado", *WEAK_LINK, "--target", "0.6", "--plot", "tornado.png")
    assert [row["field"] for row in found["rows"]] == ["other_loss_db", "power_dbw"]
    assert found["rows"][0]["d_margin_high_db"] == pytest.approx(-1.0)
    out = plan("tornado", *WEAK_LINK, "--tolerances", "tolerances.toml")[1]
    assert "power_dbw" in out
    assert "other_loss_db" not in out


def test_monte_carlo_is_repeatable(plan, answer, folder):
    words = ("monte-carlo", *WEAK_LINK, "--draws", "500", "--target", "0.6")
    found = answer(*words, "--seed", "0", "--csv", "draws.csv", "--plot", "mc.png")
    assert found["seed"] == 0
    assert len(rows(folder / "draws.csv")) == found["draws"] == 500
    assert answer(*words, "--seed", "0") == found
    assert answer(*words, "--seed", "1") != found
    assert "of 10,000 draws" in plan("monte-carlo", *WEAK_LINK, "--target", "0.6")[1]


@pytest.mark.parametrize(
    ("records", "code", "says"),
    [
        ("id,elevation_deg,target\na,10,0.5\nb,80,0.5\n", 0, "2 cases: 2 answered"),
        ("elevation_deg\n10\n-3\n", 2, "the first: record 2: elevation_deg = -3"),
        ('{"snr_db": 5, "target": 0.99, "cr": null}\n', 0, "1 cases: 1 answered"),
    ],
)
def test_cases_stream_through(plan, monkeypatch, folder, records, code, says):
    (folder / "cases.txt").write_text(records)
    first = plan("cases", "cases.txt", *WEAK_LINK)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(records.encode())))
    assert plan("cases", "-", *WEAK_LINK) == first
    assert first[0] == code
    assert says in first[2]
    assert first[2].count("\n") == 1
    assert first[1].count("\n") == records.count("\n")


def test_cases_need_no_link_and_end_with_3_where_none_is_attainable(plan, folder):
    (folder / "snr.csv").write_text("snr_db\n12\n")
    code, out, err = plan("cases", "snr.csv", "--target", "0.999")
    assert code == 3
    assert "not attainable" in out
    assert "1 not attainable" in err


# ------------------------------------------------------------------------------- bad input

X = ("--link", "eo-leo-x-band")
T = ("--target", "0.5")
HIGH = ("--max-elevation", "40")
WEAKER = ("--link", "weak.toml", "--set", "power_dbw=-40")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["ledger", "--cr", "1/12"], "required: --link"),
        (["ledger", "--link", "none.toml"], "cannot read link file none.toml"),
        (["ledger", *X, "--set", "obo=3"], "unknown key obo: did you mean obo_db?"),
        (["ledger", *X, "--set", "obo_db"], "write a setting as key=value"),
        (["ledger", *X, "--set", "obo_db=1", "--set", "obo_db=2"], "obo_db is set twice"),
        (["ledger", *X, "--set", "freq_ghz="], "freq_ghz cannot be unset"),
        (["ledger", *X, "--set", "freq_ghz=8 furlong"], "unknown unit 'furlong'"),
        (["ledger", *X, "--set", "elevation_deg=-1"], "elevation_deg = -1: allowed is 0 … 90"),
        (["ledger", *X, "--snr-db", "3"], "unrecognized arguments: --snr-db"),
        (["ledger", *X, "--cr", "2"], "--cr = 2"),
        (["ledger", *X, "--target", "much"], "target = 'much'"),
        (["ledger", *X, "--target", "at most 0.3"], 'is met by "at least"'),
        (["ledger", *X, "--confidence", "0.9"], "--confidence needs --target"),
        (["ledger", *X, *T, "--confidence", "90"], "it lies in (0.5, 1)"),
        (["ledger", *X, "--interval", "95"], "interval = 95"),
        (["ledger", *X, "--ledger", "x.doc"], "name a ledger"),
        (["ledger", *X, "--plot", "x.doc"], "name a picture"),
        (["ledger", *X, "--set", "eirp_dbw=9", "--papr-db", "9"], "the link gives eirp_dbw"),
        (["ledger", *X, "--rain-loss-db", "-1"], "rain_loss_db = -1"),
        (["solve", "power_dbw", *X], "required: --target"),
        (["solve", "gain", *X, *T], "cannot solve for gain: choose one of"),
        (["solve", "rx_dish_m", *X, *T], "g_over_t_db_k = 35 settles it"),
        (["solve", "cr", *X, "--cr", "1/6", *T], "leave --cr away"),
        (["solve", "snr_db", *X, *T, "--ledger", "x.md"], "no ledger"),
        (["pass", *X], "required: --max-elevation"),
        (["pass", *X, *HIGH, "--ledger", "x.md"], "unrecognized arguments: --ledger"),
        (["pass", *X, *HIGH, "--tle", "iss.tle"], "unrecognized arguments: --tle"),
        (["pass", *X, "--max-elevation", "5"], "does not rise above"),
        (["pass", *X, *HIGH, "--step", "0"], "step_s = 0"),
        (["pass", *X, *HIGH, "--set", "elevation_deg=9"], "the pass gives it"),
        (["pass", *X, *HIGH, "--fading", "fog"], "fading = 'fog'"),
        (["pass", "--link", "dice.toml", *HIGH], "which gives range_km; set height_km"),
        (["day", *X, "--site", "1,2"], "--site goes with --tle"),
        (["day", "--link", "cubesat-s-band"], "a day needs the station"),
        (["day", "--link", "cubesat-s-band", "--tle", "iss.tle"], "--tle needs --site"),
        (["day", *X, "--tle", "curve.csv"], "holds no element set"),
        (["day", *X, "--tle", "bad.tle"], "checksum"),
        (["day", *X, "--tle", "iss.tle", "--start", "soon"], "--start soon"),
        (["day", *X, "--tle", "iss.tle", "--start", "2026-01-01"], "years apart"),
        (["day", *X, "--tle", "iss.tle"], "years apart"),  # asked for from now on
        (["day", *X, "--tle", "iss.tle", "--satellite", "NOAA"], "holds no satellite 'NOAA'"),
        (["day", *X, "--tle", "iss.tle", "--site", "north"], "site = 'north'"),
        (["day", *X, "--tle", "iss.tle", "--inclination", "98"], "the elements give the orbit"),
        (["adaptive", *X], "required: --target"),
        (["adaptive", *X, *T, "--cr", "1/6"], "unrecognized arguments: --cr"),
        (["adaptive", *X, *T, "--crs", ","], "at least one candidate"),
        (["adaptive", *X, *T, "--fading", "rayleigh"], "--hold-percent go together"),
        (["adaptive", *X, *T, "--hold-percent", "9"], "--hold-percent go together"),
        (["adaptive", *X, *T, *HIGH, "--day"], "not allowed with argument"),
        (["adaptive", *X, *T, "--day", "--tle", "iss.tle"], "different passes"),
        (["outage", *X, "--day"], "unrecognized arguments: --day"),
        (["outage", *X, "--percents", "some"], "--percents some"),
        (["outage", *X, "--percents", "100"], "up to 99.99"),
        (["against", "none.csv", *X], "cannot read rate curve"),
        (["against", "curve.csv", *X], "choose a codec from jp2, jpeg"),
        (["against", *X, "--codec", "jp2"], "give CURVE.csv"),
        (["against", *X, "--modcod", "QPSK"], "modcod = 'QPSK'"),
        (["against", *X, "--modcod-margin-db", "-1"], "lies in 0 … 30"),
        (["against", *X, "--digital-obo-db", "-1"], "lies in 0 … 30 dB"),
        (["sweep", *X, "--set", "fit="], "give FIT"),
        (["sweep", "obo_db=0:3", *X], "write FIELD=FIRST:LAST:NUMBER"),
        (["sweep", "obo=0:3:4", *X], "unknown key obo"),
        (["sweep", "name=0:3:4", *X], "name is no number"),
        (["sweep", *["obo_db=0:3:4"] * 2, *X], "swept twice"),
        (["sweep", "obo_db=0:3:4", "--cr", "1/6"], "is a key of the link; give --link"),
        (["sweep", "cr=1/6:1/8:3", *X, "--snr-db", "3"], "--snr-db contradicts --link"),
        (["tornado", *X, "--tolerances", "none.toml"], "cannot read none.toml"),
        (["tornado", "--cr", "1/6", "--snr-db", "3"], "--tolerances FILE is missing"),
        (["monte-carlo", *X, "--draws", "0"], "draws = 0"),
        (["monte-carlo", *X, "--seed", "-1"], "--seed -1"),
        (["cases", "none.csv", *X], "cannot read cases none.csv"),
        (["cases", "curve.csv", *X], "unknown column bits_per_pixel"),
        (["cases", "-", *X, "--json"], "unrecognized arguments: --json"),
        (["ask", *X], "invalid choice: 'ask'"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_ends_with_2_and_one_clear_line(plan, folder, words, says):
    (folder / "bad.tle").write_text(TLE.replace("5082", "5083"))
    code, out, err = plan(*words)
    assert code == 2
    assert says in err
    assert err.startswith("semloss: ")
    assert err.count("\n") == 1
    assert out == ""


@pytest.mark.parametrize("words", [("template", "t.toml", "--preset", "moon")])
def test_an_unknown_preset_is_one_line(plan, words):
    code, out, err = plan(*words, fit=None)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "no preset 'moon'" in err


@pytest.mark.parametrize("words", [("ledger", *X, *T), ("ledger", *X, "--strict"), ("day", *X)])
def test_what_asks_for_the_metric_needs_a_fit(plan, words):
    code, out, err = plan(*words, "--set", "fit=", fit=None)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "give FIT" in err
    code, out, err = plan(*words, "--set", "fit=moon", fit=None)
    assert (code, out) == (2, "")
    assert "cannot read moon" in err


@pytest.mark.parametrize(
    "words",
    [
        ("ledger", *X, *T),
        ("solve", "power_dbw", *X, *T),
        ("sweep", "obo_db=1:5:3", "rain_loss_db=0:1:2", *X),
    ],
)
def test_a_links_own_fit_answers_where_none_is_given(plan, words):
    question, *rest = words
    code, out, err = plan(question, *rest, fit=None)
    assert code == 0
    assert "the fit is eurosat-accuracy, as the link names it" in err
    assert plan(*words, fit="eurosat-accuracy")[1] == out


# ------------------------------------------------------------------------------- exit codes


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("ledger", *WEAK_LINK, "--target", "0.3"), 0),
        (("ledger", *WEAK_LINK, "--target", "0.7"), 3),
        (("solve", "power_dbw", *WEAK_LINK, "--target", "0.7"), 0),
        (("solve", "power_dbw", *WEAK_LINK, "--target", "0.999"), 3),
        (("pass", "--link", "weak.toml", *HIGH, "--target", "0.3"), 0),
        (("pass", "--link", "weak.toml", *HIGH, "--set", "power_dbw=-25", "--target", "0.7"), 3),
        (("day", "--link", "weak.toml", "--set", "power_dbw=-25", "--target", "0.7"), 3),
        (("outage", *WEAK_LINK, "--set", "power_dbw=-40", "--target", "0.7"), 3),
        (("adaptive", "--link", "weak.toml", *HIGH, "--target", "0.6"), 0),
        (("adaptive", *WEAKER, *HIGH, "--target", "0.6"), 3),
        (("sweep", "obo_db=0:3:4", *WEAK_LINK, "--target", "0.3"), 0),
        (("sweep", "obo_db=20:30:4", *WEAK_LINK, "--target", "0.7"), 3),
        (("pass", *X, "--max-elevation", "80", "--strict"), 4),
        (("sweep", "elevation_deg=10:90:3", *X, "--cr", "1/8", "--strict"), 4),
    ],
)  # fmt: skip
def test_one_rule_for_exit_codes(plan, words, code):
    found, out, err = plan(*words)
    assert found == code, err
    if code == 4:
        assert out == ""
        assert "outside the fitted domain" in err


# ------------------------------------------------------------------------------- every answer


@pytest.mark.parametrize(
    "words",
    [
        ("ledger", *WEAK_LINK),
        ("solve", "power_dbw", *WEAK_LINK, *T),
        ("pass", "--link", "weak.toml", *HIGH, "--step", "10"),
        ("day", "--link", "weak.toml", "--step", "20"),
        ("adaptive", "--link", "weak.toml", *T, "--day", "--step", "20"),
        ("outage", *WEAK_LINK),
        ("against", *WEAK_LINK),
        ("sweep", "obo_db=0:3:4", *WEAK_LINK),
        ("tornado", *WEAK_LINK),
        ("monte-carlo", *WEAK_LINK, "--draws", "100"),
    ],
    ids=lambda words: words[0],
)
def test_every_answer_is_text_json_csv_and_a_picture(plan, folder, tmp_path, words):
    csv_file, picture = tmp_path / "a.csv", tmp_path / "a.png"
    code, text, _ = plan(*words, "--csv", str(csv_file), "--plot", str(picture))
    assert code == 0
    assert len(text.splitlines()) > 1
    assert rows(csv_file)
    assert picture.read_bytes().startswith(b"\x89PNG")
    code, out, _ = plan(*words, "--json")
    assert code == 0
    assert json.loads(out)


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_help_of_a_question_fits_a_screen(question, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["plan", question, "--help"]) == 0
    text = capsys.readouterr().out
    assert len(text.splitlines()) <= 45
    assert f"example: semloss plan {question}" in text


# ------------------------------------------------------------------------------- the old words


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


def test_predict_with_a_link_is_the_ledger_and_with_solve_the_calculator(plan, folder, capsys):
    for words, same in (
        ([*WEAK_LINK, *T], ["ledger", *WEAK_LINK, *T]),
        ([*WEAK_LINK, "--solve", "power_dbw", *T], ["solve", "power_dbw", *WEAK_LINK, *T]),
    ):
        expected = plan(*same)
        code = main(["predict", "fit.json", *words])
        streams = capsys.readouterr()
        assert (code, streams.out, streams.err) == expected


# ------------------------------------------------------------------------------- cold start


@pytest.mark.parametrize(
    "words",
    [
        ["predict", "fit.json", "--link", "cubesat-s-band"],
        ["predict", "fit.json", "--link", "cubesat-s-band", "--solve", "eirp_dbw", *T],
        ["plan", "ledger", "fit.json", "--link", "cubesat-s-band"],
        ["plan", "pass", "fit.json", "--link", "cubesat-s-band", *HIGH],
    ],
)
def test_a_link_loads_nothing_heavier_than_numpy(folder, words):
    program = (
        "import sys; from semloss.cli import main\n"
        "code = main(sys.argv[1:])\n"
        "heavy = {'torch', 'pandas', 'scipy', 'pydantic', 'matplotlib', 'seaborn', 'lmfit'}\n"
        "sys.exit(code or sorted(heavy & set(sys.modules)) or 0)"
    )
    command = [sys.executable, "-c", program, *words]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")


def test_plain_predict_leaves_the_planner_alone(folder):
    program = (
        "import sys; from semloss.cli import main\n"
        "code = main(['predict', sys.argv[1], '--cr', '1/6', '--target', '>= 0.5'])\n"
        "sys.exit(code or 'semloss.cli.plan' in sys.modules or 'tomllib' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, folder / "fit.json"], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
