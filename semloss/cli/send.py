"""`semloss send`: images over the link that a cell of a run was trained for."""

from pathlib import Path
from typing import TYPE_CHECKING

from semloss.cli import options
from semloss.cli.output import output
from semloss.cli.parser import Parser, whole
from semloss.errors import SemlossError

if TYPE_CHECKING:
    from semloss.sending import LoadedCodec

ABOUT = (
    "Send images over a trained link and write what arrives beside what was sent, with PSNR, the "
    "CR really used and the task models' answers. Images larger than the training size go in "
    "tiles that overlap and are blended, each with channel draws of its own."
)
EXAMPLE = "semloss send runs/demo --cr 1/12 --snr-db 4 scene.png --out received"


def define(parser: Parser) -> None:
    """Define the command's options."""
    parser.add_argument("folder", type=Path, metavar="RUN", help="run folder of semloss collect")
    parser.add_argument("image", type=Path, nargs="+", metavar="IMAGE", help="PNG, JPEG, TIFF, …")
    options.add_cell(parser, snr_db="Es/N0 of the channel (default: that of the cell)")
    parser.add_argument(
        "--overlap", type=whole(0, 4096), metavar="PX",
        help="of neighbouring tiles (default: an eighth of a tile; costs 31 %% more symbols)",
    )  # fmt: skip
    parser.add_argument(
        "--seed", type=whole(0, 2**32 - 1), default=0, metavar="N", help="of the channel's draws"
    )
    parser.add_argument(
        "--out", type=Path, metavar="DIR", default=Path("received"),
        help="folder for NAME.sent.png and NAME.received.png (default: received)",
    )  # fmt: skip
    options.add_output(parser, plot=False, strict=False)


def run(args: options.Args) -> int:
    """Send images."""
    from semloss.identity import seed_for
    from semloss.sending import SentImages, load_codec, send_scene
    from semloss.sources.folder import read_image
    from semloss.sources.tree import Item

    names = [path.stem for path in args.image]
    for name in names:
        if names.count(name) > 1:
            raise SemlossError(
                f"two images are called {name}, as their copies would be; rename one"
            )
    codec = load_codec(args.folder, **options.read_cell(args))
    found = []
    for path in args.image:
        pixels = read_image(
            Item(0, str(path), path.read_bytes), "gray" if codec.shape[0] == 1 else "rgb"
        )
        seed = seed_for(f"{args.seed}", path.stem)
        one = send_scene(
            codec, pixels, args.snr_db, overlap=args.overlap, seed=seed, name=path.stem
        )
        one.write(args.out)
        found.append(one)
    return output(
        SentImages(found, codec.cell.name, codec.cell.place, _told(codec, args), codec.notes), args
    )


def _told(codec: "LoadedCodec", args: options.Args) -> dict[str, str]:
    """What the figures rest on."""
    from semloss.sending.scenes import usual_overlap

    _, height, width = codec.shape
    overlap = usual_overlap(codec) if args.overlap is None else args.overlap
    return {
        "codec": codec.codec.label,
        "channel": codec.channel.full_label,
        "tiles": f"{width}x{height}, {overlap} px shared and blended",
        "written": f"{args.out}/NAME.received.png beside NAME.sent.png",
    }
