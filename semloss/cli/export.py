"""`semloss export`: a trained encoder as a file for an on-board processor."""

from pathlib import Path

from semloss.cli import options
from semloss.cli.output import notes, output
from semloss.cli.parser import Parser

ABOUT = (
    "Write the encoder of a trained cell as ONNX, image and SNR in, symbols out, and say what it "
    "costs. Its symbols are compared with torch's before anything is written. Needs semloss[onnx]."
)
EXAMPLE = "semloss export runs/demo --cr 1/12 --snr-db 4 --out encoder.onnx"


def define(parser: Parser) -> None:
    """Define the command's options."""
    parser.add_argument("folder", type=Path, metavar="RUN", help="run folder of semloss collect")
    options.add_cell(parser, snr_db="Es/N0 of the cell")
    parser.add_argument(
        "--out", type=Path, metavar="FILE", default=Path("encoder.onnx"),
        help="the file (default: encoder.onnx)",
    )  # fmt: skip
    options.add_output(parser, plot=False, strict=False)


def run(args: options.Args) -> int:
    """Export an encoder."""
    from semloss.sending import export_encoder, load_codec

    codec = load_codec(args.folder, **options.read_cell(args))
    notes(codec.notes)
    return output(export_encoder(codec, args.out), args)
