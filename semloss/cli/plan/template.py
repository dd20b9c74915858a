"""`semloss plan template`: a link file to start from."""

import sys
from pathlib import Path

from semloss.cli.options import Args
from semloss.cli.output import print_json
from semloss.cli.parser import Parser
from semloss.errors import SemlossError

EXAMPLE = "semloss plan template link.toml --preset eo-leo-x-band"


def define(parser: Parser) -> None:
    """Define the options."""
    parser.add_argument(
        "file", nargs="?", metavar="FILE", help="where to write it (- or nothing prints it)"
    )
    parser.add_argument(
        "--preset", metavar="NAME|list", help="start from a mission of this name; list names all"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: Args) -> int:
    """Write the commented link file, or a preset, where there is none yet; or name the presets."""
    from semloss.layout import columns
    from semloss.planning.link.template import preset_names, preset_text, template_text
    from semloss.storage import write_atomically

    if args.preset == "list":
        if args.file is not None:
            raise SemlossError("--preset list names the presets: give one of them with FILE")
        about = {name: preset_text(name).partition("\n")[0].lstrip("# ") for name in preset_names()}
        if args.json:
            print_json({"presets": [{"preset": n, "about": text} for n, text in about.items()]})
        else:
            print(columns(("preset", "about"), list(about.items())))
        return 0
    text = template_text() if args.preset is None else preset_text(args.preset)
    if args.file in (None, "-"):
        if args.json:
            print_json({"template": None, "text": text})
        else:
            sys.stdout.write(text)
        return 0
    path = Path(args.file)
    if args.file in preset_names():  # a file of this name would stand in for the preset
        raise SemlossError(f"{path} is a preset's name: choose another, e.g. {path}.toml")
    if path.exists():
        raise SemlossError(f"{path} exists: choose another name, or remove it first")
    write_atomically(path, text)
    if args.json:
        print_json({"template": str(path)})
    else:
        print(f"{path}: edit it, then semloss plan ledger FIT.json --link {path}")
    return 0
