"""`semloss plan`: the questions that a link engineer asks, one file each."""

from semloss.cli.parser import Parser

QUESTIONS = {
    "ledger": "the link budget from amplifier to metric",
    "solve": "the cheapest value of one field that meets a target",
    "pass": "SNR, metric and images along one pass",
    "day": "what all passes of a day bring",
    "adaptive": "which CR at which SNR so that a target holds",
    "outage": "the metric exceeded p % of the time, under rain and fading",
    "amplifier": "the back-off that suits a codec measured through an amplifier",
    "against": "DeepJSCC against a source codec over DVB-S2, DVB-S2X, …",
    "sweep": "answers over the values of one field or two",
    "tornado": "which input matters most",
    "monte-carlo": "all inputs drawn within their tolerances",
    "cases": "many records answered as they come",
    "allocate": "bandwidth and power shared among users",
    "template": "a link file to start from",
}
EXAMPLE = "semloss plan ledger eurosat-accuracy --link eo-leo-x-band --target 0.85"


def define(parser: Parser) -> None:
    """Define the questions; in full only the one that is asked."""
    parser.choose("question", __name__, QUESTIONS, parser.rest)
