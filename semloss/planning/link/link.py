"""A link as planners describe it: data, checked when made; its numbers come from `budget`."""

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Self

from semloss.errors import SemlossError
from semloss.planning.link.checks import check, check_value, refuse_incomplete
from semloss.planning.link.file import read_settings, read_tables, unknown_key
from semloss.planning.link.keys import Key, dropped_by, key, keys_of
from semloss.storage import read_toml

_top, _tx, _path, _air, _rx, _signal, _image = (
    partial(key, section)
    for section in ("", "transmitter", "path", "atmosphere", "receiver", "signal", "image")
)


@dataclass(frozen=True, kw_only=True)
class LinkData:
    """Everything that decides a link's SNR and image rate; immutable and checked when made.

    Fields carry their units; `None` means not given. Units, ranges and meanings are declared
    with the fields and shown by `semloss plan template`. Either of some alternatives is
    given: EIRP or its parts, G/T or its parts, range or orbit height and elevation.

    Raises
    ------
    SemlossError
        When a value is out of range, a needed one is missing or two contradict each other.
    """

    # fmt: off
    name: str = _top("link", "name of the link, for titles", example="example")
    fit: str = _top(
        "", 'fit that answers where none is given: a file, or a name of "semloss fits"',
        example="eurosat-accuracy"
    )

    eirp_dbw: float | None = _tx(
        None, "radiated power on boresight, instead of power and antenna", "dBW", -100, 120
    )
    power_dbw: float | None = _tx(
        None, 'amplifier output before back-off; "2 W" and "33 dBm" are read too',
        "dBW", -60, 60, example=7.0
    )
    obo_db: float = _tx(0.0, "output back-off", "dB", 0, 30, example=8.5)
    papr_db: float | None = _tx(
        None, "peak-to-average power ratio of the symbols (table metric papr_db)", "dB", 0, 30
    )
    pa_saturation_dbw: float | None = _tx(
        None, "largest output of the amplifier; power_dbw where not given", "dBW", -60, 60
    )
    radio_w: float | None = _tx(
        None, "power drawn while sending, amplifier and all; for the energy of an image",
        "W", 0, 1e6, above=True
    )
    tx_line_loss_db: float = _tx(0.0, "amplifier to antenna", "dB", 0, 30, example=1.0)
    tx_gain_dbi: float | None = _tx(
        None, "antenna gain towards the receiver's boresight", "dBi", -40, 80, example=6.0
    )
    tx_dish_m: float | None = _tx(
        None, "dish diameter, instead of tx_gain_dbi", "m", 0.01, 100
    )
    tx_efficiency: float = _tx(0.6, "aperture efficiency of that dish", "", 0.01, 1)
    tx_pointing_loss_db: float = _tx(0.0, "off-boresight loss", "dB", 0, 30)

    freq_ghz: float = _path(dataclasses.MISSING, "carrier frequency", "GHz", 0.03, 350, example=8.2)
    height_km: float | None = _path(
        None, "orbit height above mean sea level", "km", 80, 500_000, example=500.0
    )
    elevation_deg: float | None = _path(
        None, "elevation of the satellite above the horizon", "deg", 0, 90, example=30.0
    )
    range_km: float | None = _path(None, "distance, instead of height_km", "km", 1e-3, 1e10)
    fspl_db: float | None = _path(
        None, "free-space loss, instead of range_km; or the whole path's, without [atmosphere]",
        "dB", 0, 500
    )
    station_lat_deg: float | None = _path(
        None, "latitude of the ground station, north positive", "deg", -90, 90, example=48.1
    )
    station_lon_deg: float | None = _path(
        None, "longitude of the ground station, east positive", "deg", -180, 180, example=11.6
    )
    station_altitude_km: float = _path(0.0, "ground station above mean sea level", "km", -0.5, 9)

    atmosphere_model: str = _air(
        "fixed",
        '"fixed": the losses below; "itu": by station and availability_percent, P.618 family '
        "(needs semloss[itu])",
        choices=("fixed", "itu")
    )
    zenith_losses: bool = _air(
        False, "gas and cloud losses are those at zenith, growing as 1/sin(elevation)"
    )
    gas_loss_db: float = _air(0.0, "gaseous absorption", "dB", 0, 200)
    cloud_loss_db: float = _air(0.0, "clouds", "dB", 0, 100)
    scintillation_loss_db: float = _air(0.0, "scintillation", "dB", 0, 50)
    polarisation_loss_db: float = _air(0.0, "polarisation mismatch", "dB", 0, 50)
    other_loss_db: float = _air(0.0, "any other loss", "dB", 0, 100)
    rain_loss_db: float | None = _air(
        None, "rain, when known; else the next two keys", "dB", 0, 200
    )
    r001_mm_h: float | None = _air(
        None, "rain rate exceeded 0.01 % of an average year (P.618-13, P.838-3)",
        "mm/h", 0, 250, example=35.0
    )
    availability_percent: float | None = _air(
        None, "share of the year in which the losses are not exceeded",
        "%", 95, 99.999, example=99.0
    )
    rain_height_km: float | None = _air(
        None, "mean rain height (P.839); by latitude where not given", "km", 0, 10
    )
    polarisation_tilt_deg: float = _air(
        45.0, "tilt to the horizontal; 45 for circular", "deg", 0, 90
    )

    g_over_t_db_k: float | None = _rx(
        None, "figure of merit, instead of the keys below", "dB/K", -60, 80
    )
    rx_gain_dbi: float | None = _rx(None, "antenna gain", "dBi", -40, 100)
    rx_dish_m: float | None = _rx(
        None, "dish diameter, instead of rx_gain_dbi", "m", 0.01, 100, example=3.0
    )
    rx_efficiency: float = _rx(0.6, "aperture efficiency of that dish", "", 0.01, 1)
    rx_line_loss_db: float = _rx(0.0, "antenna to low-noise amplifier, at 290 K", "dB", 0, 30)
    rx_pointing_loss_db: float = _rx(
        0.0, "off-boresight loss, which G/T does not hold", "dB", 0, 30
    )
    t_ant_k: float | None = _rx(
        None, "antenna noise temperature, clear sky", "K", 0, 10_000, above=True, example=60.0
    )
    noise_figure_db: float | None = _rx(
        None, 'noise figure; as temperature "120 K"', "dB", 0, 40, example=1.5
    )
    t_sys_k: float | None = _rx(
        None, "system noise temperature at the amplifier's input, instead of the two " "keys above",
        "K", 0, 100_000, above=True
    )
    rain_warms_sky: bool = _rx(
        False, "add the noise of rain: T = t_ant·10^(−A/10) + t_rain·(1−10^(−A/10))"
    )
    t_rain_k: float = _rx(275.0, "mean temperature of rain (P.618 section 3)", "K", 100, 330)

    bandwidth_mhz: float | None = _signal(
        None, "occupied bandwidth; symbol rate = bandwidth/(1+roll_off)",
        "MHz", 0, 1e5, above=True, example=60.0
    )
    symbol_rate_mbd: float | None = _signal(
        None, "symbol rate, or noise bandwidth of the matched filter; sets bandwidth_mhz",
        "MBd", 0, 1e5, above=True
    )
    roll_off: float = _signal(0.2, "of the pulse shape", "", 0, 1)
    frame_efficiency: float = _signal(
        1.0, "share of the symbols that carry image", "", 0, 1, above=True
    )
    implementation_loss_db: float = _signal(0.0, "of modem and filters", "dB", 0, 30, example=1.5)
    c_over_i_db: float | None = _signal(
        None, "carrier to interference at the decoder, the same under rain", "dB", -50, 100
    )
    margin_db: float = _signal(0.0, "margin in SNR to keep to the target metric", "dB", 0, 50)
    bit_rate_mbps: float | None = _signal(
        None, "of a digital link; adds rows down to its Eb/N0", "Mb/s", 0, 1e6, above=True
    )
    required_eb_n0_db: float | None = _signal(None, "that this digital link needs", "dB", -10, 60)

    bands: int = _image(3, "bands of the imagery", "", 1, 10_000)
    height_px: int = _image(64, "rows", "px", 1, 1_000_000, example=4096)
    width_px: int = _image(64, "columns", "px", 1, 1_000_000, example=4096)
    tile_px: int | None = _image(
        None, "side of the tiles that the codec takes; images are padded to whole tiles",
        "px", 1, 100_000, example=64
    )
    encoder_mmac: float | None = _image(
        None, "multiply-accumulates to encode a tile, in millions (cells table encoder_macs)",
        "", 0, 1e9, above=True
    )
    pj_per_mac: float = _image(10.0, "energy of one of them on board, in pJ", "", 0, 1e6)
    bit_depth: int = _image(8, "bits of a source sample, for data volumes", "", 1, 64)
    gsd_m: float | None = _image(
        None, "ground sampling distance, for areas", "m", 0.01, 1e5, example=10.0
    )
    cr: float | None = _image(
        None, 'compression ratio k/n, e.g. "1/12"', "", 0, 1, above=True, example="1/12"
    )
    images_per_s: float | None = _image(
        None, "rate to deliver; then a smallest bandwidth exists", "1/s", 0, 1e9, above=True
    )

    # fmt: on

    warnings: tuple[str, ...] = dataclasses.field(
        default=(), compare=False, metadata={"key": Key("", "what looks implausible")}
    )

    def __post_init__(self) -> None:
        fields = {name: getattr(self, name) for name in ("symbol_rate_mbd", *_RATE)}
        for name, value in _settled(fields).items():
            object.__setattr__(self, name, value)
        check({name: getattr(self, name) for name in KEYS}, KEYS, DEFAULTS)

    @classmethod
    def from_toml(cls, path: Path | str, **otherwise: Any) -> Self:  # noqa: ANN401
        """Read a link file; `otherwise` as for `from_dict`."""
        tables = read_toml(path)
        try:
            return cls.from_dict(tables, **otherwise)
        except SemlossError as error:
            raise SemlossError(f"{path}: {error}") from None

    @classmethod
    def from_dict(
        cls,
        tables: Mapping[str, Any],
        needed: Iterable[str] = (),
        **otherwise: Any,  # noqa: ANN401 - the type of each field
    ) -> Self:
        """Build a link from nested tables as in the link file, or from flat keys.

        `otherwise` gives fields that the tables may leave open, e.g. `elevation_deg` for a link
        whose elevation a pass supplies; one that the tables settle in another way is not used.
        `needed` are keys that a question needs beside what makes a link; all that is missing is
        told at once.
        """
        fields = read_tables(KEYS, tables)
        settled = fields.keys() | {other for name in fields for other in dropped_by(name)}
        fields |= {
            name: value
            for name, value in otherwise.items()
            if name not in settled and not fields.keys() & set(dropped_by(name))
        }
        refuse_incomplete(_settled(DEFAULTS | fields), KEYS, needed)
        return cls(**fields)

    def with_settings(self, settings: Iterable[str]) -> Self:
        """Copy with fields changed by "key=value" texts, values as in the link file.

        "key=" puts a key back to its default, so that one may be left open.
        """
        fields = read_settings(KEYS, settings, DEFAULTS)
        warnings = (*self.warnings, *fields.pop("warnings"))
        return dataclasses.replace(self.replace(**fields), warnings=warnings)

    def replace(self, **fields: Any) -> Self:  # noqa: ANN401 - the type of each field
        """Copy with some fields changed; what they replace (EIRP: its parts) is dropped."""
        unknown = [name for name in fields if name not in KEYS]
        if unknown:
            raise SemlossError(unknown_key(KEYS, unknown[0]))
        given = [name for name, value in fields.items() if value is not None]
        others = {other for name in given for other in dropped_by(name)} - fields.keys()
        dropped = {other: DEFAULTS[other] for other in others}
        return dataclasses.replace(self, **dropped | fields)


_RATE = ("bandwidth_mhz", "roll_off")


def _settled(fields: dict[str, Any]) -> dict[str, Any]:
    """Fields with the bandwidth that a symbol rate takes, which then needs no key of its own."""
    rate = fields["symbol_rate_mbd"]
    if rate is None:
        return fields
    if fields["bandwidth_mhz"] is not None:
        raise SemlossError(
            f"symbol_rate_mbd = {rate:g} contradicts bandwidth_mhz = {fields['bandwidth_mhz']:g}: "
            "give one of them"
        )
    check_value("symbol_rate_mbd", rate, KEYS["symbol_rate_mbd"])
    width = rate * (1 + fields["roll_off"])
    return fields | {"bandwidth_mhz": width, "symbol_rate_mbd": None}


KEYS: dict[str, Key] = {name: k for name, k in keys_of(LinkData).items() if name != "warnings"}
DEFAULTS: dict[str, Any] = {f.name: f.default for f in dataclasses.fields(LinkData)}
