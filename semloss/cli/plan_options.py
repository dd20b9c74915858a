"""Options of the link planner in `semloss predict`; light, for every cold start reads them."""

import argparse
from pathlib import Path

#: Options that put a question to a link; without any, the answer is its ledger.
QUESTIONS = (
    "solve", "pass_", "day", "tle", "adaptive", "outage", "against", "sweep", "tornado",
    "monte_carlo", "cases",
)  # fmt: skip
_FURTHER = (
    "link", "set", "rain_loss_db", "papr_db", "ledger", "template", "preset", "min_elevation",
    "step", "inclination", "site", "satellite", "start", "days", "fading", "crs", "hysteresis_db",
    "hold_percent", "percents", "codec", "modcod", "modcod_margin_db",
    "digital_obo_db", "tolerances", "seed", "csv",
)  # fmt: skip


def given(args: argparse.Namespace, name: str) -> bool:
    """Whether an option stands on the command line."""
    value = getattr(args, name)
    return value is not None and value is not False and value != []


def planner_asked(args: argparse.Namespace) -> bool:
    """Whether any of the planner's options stands on the command line."""
    return any(given(args, name) for name in QUESTIONS + _FURTHER)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Define the planner's options, in groups."""
    _link(parser.add_argument_group("a link", "its budget gives the SNR; prints its ledger"))
    _solve(parser.add_argument_group("what the target needs"))
    _passes(parser.add_argument_group("over a pass", "--csv FILE writes the time series"))
    _adaptive(parser.add_argument_group("adaptive coding and outage"))
    _against(parser.add_argument_group("against a digital chain (DVB-S2)"))
    _studies(parser.add_argument_group("many points", "--csv FILE writes the rows"))


def _link(group: "argparse._ArgumentGroup") -> None:
    group.add_argument("--link", metavar="FILE|PRESET", help="link file (TOML) or preset")
    group.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE",
        help='change a key of the link, e.g. power_dbw="2 W"; "KEY=" unsets it; may be repeated',
    )  # fmt: skip
    group.add_argument("--rain-loss-db", metavar="DB", help="rain, instead of the link's")
    group.add_argument(
        "--papr-db", metavar="DB", help="peak-to-average ratio of the symbols; suggests a back-off"
    )
    group.add_argument(
        "--ledger", action="append", default=[], type=Path, metavar="FILE",
        help="also write the ledger: *.txt, md, csv, json, xlsx, or a chart *.png; may be repeated",
    )  # fmt: skip
    group.add_argument(
        "--template", metavar="FILE", help="write a commented link file (- prints it); no FIT"
    )
    group.add_argument(
        "--preset", metavar="NAME|list", help="with --template: start from a preset; list names all"
    )


def _solve(group: "argparse._ArgumentGroup") -> None:
    group.add_argument(
        "--solve", metavar="UNKNOWN",
        help="cheapest value that meets --target: snr_db, cr, eirp_dbw, power_dbw, rx_dish_m, "
        "bandwidth_mhz, range_km, elevation_deg or availability_percent",
    )  # fmt: skip


def _passes(group: "argparse._ArgumentGroup") -> None:
    group.add_argument(
        "--pass", dest="pass_", type=float, metavar="DEG",
        help="one pass of a circular orbit at the link's height, culminating at this elevation",
    )  # fmt: skip
    group.add_argument(
        "--day", action="store_true", help="all passes of that orbit over the link's station"
    )
    group.add_argument(
        "--min-elevation", type=float, metavar="DEG", help="where contact begins (default 10)"
    )
    group.add_argument("--step", type=float, metavar="S", help="time step (default 1 s)")
    group.add_argument(
        "--inclination", type=float, metavar="DEG",
        help="of the orbit; --day takes the sun-synchronous one, --pass a still Earth, without it",
    )  # fmt: skip
    group.add_argument("--tle", type=Path, metavar="FILE", help="passes from a two-line set")
    group.add_argument(
        "--site", metavar="LAT,LON[,KM]", help="station of --tle (default: that of the link)"
    )
    group.add_argument("--satellite", metavar="NAME", help="which of the file's satellites")
    group.add_argument("--start", metavar="UTC", help="e.g. 2026-03-01T12:00 (default: the epoch)")
    group.add_argument("--days", type=float, metavar="N", help="length of --tle (default 1)")


def _adaptive(group: "argparse._ArgumentGroup") -> None:
    group.add_argument(
        "--adaptive", action="store_true",
        help="table of SNR thresholds at which to switch CR so that --target holds and most "
        "images pass; with a pass, its schedule",
    )  # fmt: skip
    group.add_argument("--crs", metavar="CR,CR,…", help="its candidates (default: round ones)")
    group.add_argument("--hysteresis-db", type=float, metavar="DB", help="default 0.5")
    group.add_argument(
        "--hold-percent", type=float, metavar="P", help="hold the target in P %% of --fading"
    )
    group.add_argument(
        "--outage", action="store_true", help="metric exceeded p %% of the time, with rain, fading"
    )
    group.add_argument("--percents", metavar="P,P,…", help="shares of the time for --outage")
    group.add_argument(
        "--fading", metavar="KIND", help="rayleigh, rician:K_DB or shadowing:SIGMA_DB"
    )


def _against(group: "argparse._ArgumentGroup") -> None:
    group.add_argument(
        "--against", nargs="?", const="", metavar="CURVE.csv",
        help="compare with a source codec (columns bits_per_pixel, metric, value) over DVB-S2; "
        "without a curve, bit budgets only",
    )  # fmt: skip
    group.add_argument("--codec", metavar="NAME", help="which of the curve's codecs")
    group.add_argument(
        "--modcod", metavar="NAME", help='the fixed chain\'s, e.g. "QPSK 3/4" (default: mid-range)'
    )
    group.add_argument(
        "--modcod-margin-db", type=float, metavar="DB", help="kept to each threshold (default 0)"
    )
    group.add_argument(
        "--digital-obo-db", type=float, metavar="DB",
        help="the digital chain's own back-off (default: the link's, so that both have one SNR)",
    )  # fmt: skip


def _studies(group: "argparse._ArgumentGroup") -> None:
    group.add_argument(
        "--sweep", action="append", default=[], metavar="FIELD=A:B:N",
        help="answers over N values of cr, snr_db, target or a key of the link; once or twice",
    )  # fmt: skip
    group.add_argument(
        "--tornado", action="store_true", help="which input matters: each alone to its ends"
    )
    group.add_argument(
        "--monte-carlo", nargs="?", const=10_000, type=int, metavar="N",
        help="draw the inputs and the fit's uncertainty N times (default 10000)",
    )  # fmt: skip
    group.add_argument(
        "--tolerances", type=Path, metavar="FILE",
        help="TOML with the table [tolerances] of both (default: that of the link file)",
    )  # fmt: skip
    group.add_argument("--seed", type=int, help="of --monte-carlo (default: from the inputs)")
    group.add_argument(
        "--cases", metavar="FILE|-",
        help="a CSV or JSON-lines record each: cr, snr_db, target, keys of the link; answers "
        "alike",
    )  # fmt: skip
    group.add_argument("--csv", type=Path, metavar="FILE", help="write what the picture shows")
