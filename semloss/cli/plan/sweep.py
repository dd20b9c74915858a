"""`semloss plan sweep`: answers over the values of one field or two."""

from typing import TYPE_CHECKING

import numpy as np

from semloss.cli import options
from semloss.cli.output import output
from semloss.cli.parser import Parser
from semloss.cli.passes import SUPPLIED
from semloss.errors import SemlossError

if TYPE_CHECKING:
    from semloss.arrays import Array
    from semloss.planning.budget.points import Defaults

EXAMPLE = "semloss plan sweep FIT.json elevation_deg=10:90:17 --link eo-leo-x-band --cr 1/12"
_MOST_POINTS = 1_000_000


def define(parser: Parser) -> None:
    """Define the question's options."""
    options.add_fit(parser)
    parser.add_argument(
        "fields", nargs="+", metavar="FIELD=A:B:N",
        help="N values of cr, snr_db, target or a key of the link; one field or two",
    )  # fmt: skip
    add_point(parser)
    options.add_interval(parser)
    options.add_output(parser)


def add_point(parser: Parser) -> None:
    """Define what a point of a study is asked with."""
    options.add_link(parser, required=False)
    options.add_snr(parser)
    options.add_cr(parser)
    options.add_target(parser, confidence=False)


def run(args: options.Args) -> int:
    """Answer every point."""
    from semloss.planning.studies.studies import sweep

    if args.fit is not None and "=" in str(args.fit) and not args.fit.exists():
        args.fields, args.fit = [str(args.fit), *args.fields], None  # two fields, the link's fit
    if len(args.fields) > 2:
        raise SemlossError("a sweep takes one field or two")
    swept = [text.partition("=")[0].strip() for text in args.fields]
    options.refuse_settings(args, "it is swept", *swept)
    for name in ("cr", "snr_db", "target"):
        if name in swept and getattr(args, name) is not None:
            raise SemlossError(f"--{name.replace('_', '-')}: {name} is swept; leave it away")
    supplied = {key: SUPPLIED[key] for key in ("elevation_deg",) if key in swept}
    defaults = options.defaults(args, **supplied)
    fields: dict[str, Array] = {}
    for text in args.fields:
        name, axis = _axis(text, defaults)
        if name in fields:
            raise SemlossError(f"{name} is swept twice: sweep two different fields")
        fields[name] = axis
    points = int(np.prod([len(axis) for axis in fields.values()]))
    if points > _MOST_POINTS:
        raise SemlossError(f"sweep: {points:,} points are more than {_MOST_POINTS:,}")
    return output(sweep(defaults, fields), args)


def _axis(text: str, defaults: "Defaults") -> "tuple[str, Array]":
    """Field and values of FIELD=A:B:N; ratios are spaced evenly in ln CR."""
    from semloss.facts.target import read_target
    from semloss.planning.budget.points import ASKED
    from semloss.planning.link.file import unknown_key
    from semloss.planning.link.link import KEYS
    from semloss.planning.link.quantities import read_quantity
    from semloss.units import parse_cr

    name, _, span = (part.strip() for part in text.partition("="))
    parts = [part.strip() for part in span.split(":")]
    if len(parts) != 3 or not parts[2].isdigit() or not 1 <= int(parts[2]) <= _MOST_POINTS:
        raise SemlossError(f"{text}: write FIELD=FIRST:LAST:NUMBER, e.g. elevation_deg=10:90:17")
    count = int(parts[2])
    if name == "cr":
        return name, np.geomspace(parse_cr(parts[0], name), parse_cr(parts[1], name), count)
    if name == "target":
        first, last = (read_target(part, defaults.fit) for part in parts[:2])
        return name, np.linspace(first, last, count)
    if name != "snr_db":
        if name not in KEYS:
            others = ", ".join(ASKED)
            raise SemlossError(f"{text}: {unknown_key(KEYS, name)}; or one of {others}")
        if KEYS[name].low is None:
            raise SemlossError(f"{text}: {name} is no number")
        if defaults.link is None:
            raise SemlossError(f"{text}: {name} is a key of the link; give --link")
    unit = "dB" if name == "snr_db" else KEYS[name].unit
    first, last = (read_quantity(part, unit, f"sweep {name}") for part in parts[:2])
    return name, np.linspace(first, last, count)
