"""`semloss sure`: layers until the receiver is sure, against fixed rates."""

from pathlib import Path

from semloss.cli import options
from semloss.cli.output import output
from semloss.cli.parser import Parser, whole
from semloss.errors import SemlossError

ABOUT = (
    "Send the test images of a run of layered codecs layer by layer, each until its receiver is "
    "sure, and say how many symbols an image that takes, beside the best fixed rate of the same "
    "accuracy. When it is sure is calibrated on the validation images."
)
EXAMPLE = (
    "semloss sure runs/layered --target 0.7,0.8,0.85 --csv sure.csv, where targets that stop alike "
    "share a row; then semloss fit sure.csv --columns value=accuracy fits accuracy over what is "
    "really sent, and semloss plan adaptive --until-sure sure.csv plans a pass with it"
)


def define(parser: Parser) -> None:
    """Define the command's options."""
    parser.add_argument("folder", type=Path, metavar="RUN", help="run folder of semloss collect")
    parser.add_argument(
        "--target", required=True, metavar="SHARE,...", help="accuracies, e.g. 0.8,0.85 or 85%%"
    )
    parser.add_argument(
        "--receiver", choices=("clean", "matched", "deployable"),
        help="whose answers (default: deployable where there is one, else matched)",
    )  # fmt: skip
    options.add_where(parser)
    options.add_images(parser)
    parser.add_argument(
        "--seed", type=whole(0, 2**31 - 1), default=0, metavar="N", help="of the channel's draws"
    )
    options.add_output(parser, plot=False, strict=False)


def run(args: options.Args) -> int:
    """Send until sure."""
    from semloss.sending import send_until_sure

    answer = send_until_sure(
        args.folder,
        [_share(text) for text in args.target.split(",")],
        receiver=args.receiver,
        where=options.read_where(args),
        seed=args.seed,
        path=args.images,
    )
    return output(answer, args)


def _share(text: str) -> float:
    scale = 0.01 if text.strip().endswith("%") else 1.0
    try:
        share = float(text.strip().removesuffix("%")) * scale
    except ValueError:
        share = -1.0
    if not 0 < share < 1:
        raise SemlossError(f"--target {text}: write an accuracy between 0 and 1, or in percent")
    return share
