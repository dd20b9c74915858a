"""What a key of a link file is: its table, unit, range, default and meaning, in one place."""

import dataclasses
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Key:
    """One key of the link file.

    `low` and `high` bound the value (None for keys that are no numbers); `above` is set where
    `low` itself is not allowed; `choices` are the words a key of text takes.
    """

    section: str
    about: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    above: bool = False
    choices: tuple[str, ...] = ()
    example: Any = None

    @property
    def allowed(self) -> str:
        """Which values the key takes, for messages and the template."""
        if self.choices:
            return " or ".join(f'"{choice}"' for choice in self.choices)
        if self.low is None:
            return "any"
        unit = f" {self.unit}" if self.unit else ""
        low = f"above {self.low:g}, at most" if self.above else f"{self.low:g} …"
        return f"{low} {self.high:g}{unit}"


def key(
    section: str,
    default: Any,  # noqa: ANN401 - of the field's type
    about: str,
    unit: str = "",
    low: float | None = None,
    high: float | None = None,
    **rest: Any,  # noqa: ANN401 - of a key's types
) -> Any:  # noqa: ANN401 - a field
    """Declare a dataclass field that is a key of the link file."""
    declared = Key(section, about, unit, low, high, **rest)
    return dataclasses.field(default=default, metadata={"key": declared})


def keys_of(kind: type) -> dict[str, Key]:
    """Keys of a dataclass whose fields `key` declared, in order."""
    return {f.name: f.metadata["key"] for f in dataclasses.fields(kind)}


_EIRP_PARTS = (
    "power_dbw", "obo_db", "tx_line_loss_db", "tx_gain_dbi", "tx_dish_m", "tx_efficiency",
    "pa_saturation_dbw",
)  # fmt: skip
_G_OVER_T_PARTS = (
    "rx_gain_dbi", "rx_dish_m", "rx_efficiency", "rx_line_loss_db", "t_ant_k", "noise_figure_db",
    "t_sys_k", "rain_warms_sky", "t_rain_k",
)  # fmt: skip

#: What each key says already, so that the other keys may not be given beside it.
REPLACES: dict[str, tuple[str, ...]] = {
    "eirp_dbw": _EIRP_PARTS,
    "tx_gain_dbi": ("tx_dish_m", "tx_efficiency"),
    "range_km": ("height_km",),
    "fspl_db": ("range_km", "height_km"),
    "rain_loss_db": ("r001_mm_h", "rain_height_km", "availability_percent"),
    "g_over_t_db_k": _G_OVER_T_PARTS,
    "rx_gain_dbi": ("rx_dish_m", "rx_efficiency"),
    "t_sys_k": ("t_ant_k", "noise_figure_db", "rain_warms_sky", "t_rain_k"),
}


def dropped_by(name: str) -> tuple[str, ...]:
    """Keys that no longer hold when `name` is given anew: its parts, or its alternative."""
    return REPLACES.get(name, ()) + _INSTEAD.get(name, ())


_INSTEAD: dict[str, tuple[str, ...]] = {
    "tx_dish_m": ("tx_gain_dbi",),
    "height_km": ("range_km", "fspl_db"),
    "range_km": ("fspl_db",),
    "symbol_rate_mbd": ("bandwidth_mhz",),
    "rx_dish_m": ("rx_gain_dbi",),
    "t_ant_k": ("t_sys_k",),
    "noise_figure_db": ("t_sys_k",),
    "r001_mm_h": ("rain_loss_db",),
}
