"""The commented link file, and links of real kinds of mission that come with the package."""

from collections.abc import Iterator
from dataclasses import MISSING
from pathlib import Path

from semloss.errors import SemlossError
from semloss.planning.link.keys import Key
from semloss.planning.link.link import DEFAULTS, KEYS
from semloss.storage import read_toml

_PRESETS = Path(__file__).parent / "presets"
_ABOUT = {
    "transmitter": "give eirp_dbw, or power and antenna",
    "path": "give height_km and elevation_deg, or range_km, or fspl_db",
    "atmosphere": "losses as numbers, or from rain statistics, or by ITU-R maps",
    "receiver": "give g_over_t_db_k, or gain and noise",
    "signal": "bandwidth for the symbol rate; a bit rate adds the rows of a digital link",
    "image": "what is sent, and how hard it is compressed",
}

_TOLERANCES = (
    "[tolerances]  # how far inputs may be off, for plan tornado and plan monte-carlo",
    "power_dbw = { normal = 0.3 }                # example: standard deviation",
    "tx_pointing_loss_db = { uniform = [0, 1] }  # example: changes from the value above",
    "obo_db = 0.5                                # example: uniform within ±0.5",
)


def template_text() -> str:
    """Write the link file with every key: its meaning, unit, range and default.

    It is a link as it stands: a small X-band Earth observation downlink, its values marked as
    examples; the other keys are commented out at their defaults.
    """
    lines = [
        "# A link for semloss. Values in the unit at the end of the key, or as text with a unit:",
        '# freq_ghz = 8.2 and freq_ghz = "8200 MHz" are the same. Unset keys take the default.',
        "# It runs as it stands; what is marked as an example is yours to replace.",
        "",
        *_entry("name", KEYS["name"]),
        *_entry("fit", KEYS["fit"]),
    ]
    for section, about in _ABOUT.items():
        lines += ["", f"[{section}]  # {about}"]
        for name, key in KEYS.items():
            if key.section == section:
                lines += _entry(name, key)
    lines += ["", *_TOLERANCES]
    return "\n".join(lines) + "\n"


def _entry(name: str, key: Key) -> Iterator[str]:
    default = DEFAULTS[name]
    stated = "" if default is None or default is MISSING else f"; default {_toml(default)}"
    allowed = "" if key.allowed == "any" else f"; {key.allowed}"
    value = key.example if key.example is not None else default
    text = f"{name} = {'' if value is None else _toml(value)}".rstrip()
    mark = "" if key.example is not None else "# "
    about = f"example: {key.about}" if key.example is not None else key.about
    yield f"{mark + text:<32}  # {about}{allowed}{stated}"


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else f"{value}"


def preset_names() -> list[str]:
    """Names of the links that come with the package."""
    return sorted(path.stem for path in _PRESETS.glob("*.toml"))


def preset_text(name: str) -> str:
    """Text of a link that comes with the package, with the sources of its numbers.

    Raises
    ------
    SemlossError
        When there is no preset of that name.
    """
    if name not in preset_names():
        raise SemlossError(f"no preset {name!r}: there are {', '.join(preset_names())}")
    return (_PRESETS / f"{name}.toml").read_text(encoding="utf-8")


def link_path(source: Path | str) -> Path:
    """Path of a link file, or of a preset by its name where no such file exists.

    Raises
    ------
    SemlossError
        When there is neither.
    """
    path = Path(source)
    if path.exists():
        return path
    if str(source) in preset_names():
        return _PRESETS / f"{source}.toml"
    raise SemlossError(
        f"cannot read link file {source}: no such file, nor preset; the presets are "
        f"{', '.join(preset_names())}"
    )


def file_keys(source: Path | str) -> set[str]:
    """Keys that a link file or preset gives itself."""
    tables = read_toml(link_path(source))
    inner = (table for table in tables.values() if isinstance(table, dict))
    return set(tables).union(*inner)
