"""A link as planners describe it: data, checked when made; its numbers come from `budget`."""

import dataclasses
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from semloss.errors import SemlossError
from semloss.planning.link.checks import check, refuse_incomplete
from semloss.planning.link.file import read_settings, read_tables, unknown_key
from semloss.planning.link.keys import Key, dropped_by, key, keys_of


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
    name: str = key("link", "", "name of the link, for titles", example="example")
    fit: str = key(
        "", "", 'fit that answers where none is given: a file, or a name of "semloss fits"',
        example="eurosat-accuracy"
    )

    eirp_dbw: float | None = key(
        None, "transmitter", "radiated power, instead of the keys below", unit="dBW", low=-100,
        high=120
    )
    power_dbw: float | None = key(
        None, "transmitter", 'amplifier output before back-off; "2 W" and "33 dBm" are read too',
        unit="dBW", low=-60, high=60, example=7.0
    )
    obo_db: float = key(
        0.0, "transmitter", "output back-off", unit="dB", low=0, high=30, example=8.5
    )
    papr_db: float | None = key(
        None, "transmitter", "peak-to-average power ratio of the symbols (table metric papr_db)",
        unit="dB", low=0, high=30
    )
    pa_saturation_dbw: float | None = key(
        None, "transmitter", "largest output of the amplifier; power_dbw where not given",
        unit="dBW", low=-60, high=60
    )
    tx_line_loss_db: float = key(
        0.0, "transmitter", "amplifier to antenna", unit="dB", low=0, high=30, example=1.0
    )
    tx_gain_dbi: float | None = key(
        None, "transmitter", "antenna gain towards the receiver's boresight", unit="dBi", low=-40,
        high=80, example=6.0
    )
    tx_dish_m: float | None = key(
        None, "transmitter", "dish diameter, instead of tx_gain_dbi", unit="m", low=0, high=100,
        above=True
    )
    tx_efficiency: float = key(
        0.6, "transmitter", "aperture efficiency of that dish", low=0, high=1, above=True
    )
    tx_pointing_loss_db: float = key(
        0.0, "transmitter", "off-boresight loss", unit="dB", low=0, high=30
    )

    freq_ghz: float = key(
        dataclasses.MISSING, "path", "carrier frequency", unit="GHz", low=0.03, high=350,
        example=8.2
    )
    height_km: float | None = key(
        None, "path", "orbit height above mean sea level", unit="km", low=80, high=500_000,
        example=500.0
    )
    elevation_deg: float | None = key(
        None, "path", "elevation of the satellite above the horizon", unit="deg", low=0, high=90,
        example=30.0
    )
    range_km: float | None = key(
        None, "path", "distance, instead of height_km", unit="km", low=1e-3, high=1e6
    )
    station_lat_deg: float | None = key(
        None, "path", "latitude of the ground station, north positive", unit="deg", low=-90,
        high=90, example=48.1
    )
    station_lon_deg: float | None = key(
        None, "path", "longitude of the ground station, east positive", unit="deg", low=-180,
        high=180, example=11.6
    )
    station_altitude_km: float = key(
        0.0, "path", "ground station above mean sea level", unit="km", low=-0.5, high=9
    )

    atmosphere_model: str = key(
        "fixed", "atmosphere",
        '"fixed": the losses below; "itu": by station and availability_percent, P.618 family '
        "(needs semloss[itu])",
        choices=("fixed", "itu")
    )
    zenith_losses: bool = key(
        False, "atmosphere", "gas and cloud losses are those at zenith, growing as 1/sin(elevation)"
    )
    gas_loss_db: float = key(0.0, "atmosphere", "gaseous absorption", unit="dB", low=0, high=200)
    cloud_loss_db: float = key(0.0, "atmosphere", "clouds", unit="dB", low=0, high=100)
    scintillation_loss_db: float = key(
        0.0, "atmosphere", "scintillation", unit="dB", low=0, high=50
    )
    polarisation_loss_db: float = key(
        0.0, "atmosphere", "polarisation mismatch", unit="dB", low=0, high=50
    )
    other_loss_db: float = key(0.0, "atmosphere", "any other loss", unit="dB", low=0, high=100)
    rain_loss_db: float | None = key(
        None, "atmosphere", "rain, when known; else the next two keys", unit="dB", low=0,
        high=200
    )
    r001_mm_h: float | None = key(
        None, "atmosphere", "rain rate exceeded 0.01 % of an average year (P.618-13, P.838-3)",
        unit="mm/h", low=0, high=250, example=35.0
    )
    availability_percent: float | None = key(
        None, "atmosphere", "share of the year in which the losses are not exceeded", unit="%",
        low=95, high=99.999, example=99.0
    )
    rain_height_km: float | None = key(
        None, "atmosphere", "mean rain height (P.839); by latitude where not given", unit="km",
        low=0, high=10
    )
    polarisation_tilt_deg: float = key(
        45.0, "atmosphere", "tilt to the horizontal; 45 for circular", unit="deg", low=0, high=90
    )

    g_over_t_db_k: float | None = key(
        None, "receiver", "figure of merit, instead of the keys below", unit="dB/K", low=-60,
        high=80
    )
    rx_gain_dbi: float | None = key(None, "receiver", "antenna gain", unit="dBi", low=-40, high=100)
    rx_dish_m: float | None = key(
        None, "receiver", "dish diameter, instead of rx_gain_dbi", unit="m", low=0, high=100,
        above=True, example=3.0
    )
    rx_efficiency: float = key(
        0.6, "receiver", "aperture efficiency of that dish", low=0, high=1, above=True
    )
    rx_line_loss_db: float = key(
        0.0, "receiver", "antenna to low-noise amplifier, at 290 K", unit="dB", low=0, high=30
    )
    rx_pointing_loss_db: float = key(
        0.0, "receiver", "off-boresight loss, which G/T does not hold", unit="dB", low=0, high=30
    )
    t_ant_k: float | None = key(
        None, "receiver", "antenna noise temperature, clear sky", unit="K", low=0, high=10_000,
        above=True, example=60.0
    )
    noise_figure_db: float | None = key(
        None, "receiver", 'noise figure; as temperature "120 K"', unit="dB", low=0, high=40,
        example=1.5
    )
    t_sys_k: float | None = key(
        None, "receiver", "system noise temperature at the amplifier's input, instead of the two "
        "keys above", unit="K", low=0, high=100_000, above=True
    )
    rain_warms_sky: bool = key(
        False, "receiver", "add the noise of rain: T = t_ant·10^(−A/10) + t_rain·(1−10^(−A/10))"
    )
    t_rain_k: float = key(
        275.0, "receiver", "mean temperature of rain (P.618 section 3)", unit="K", low=100, high=330
    )

    bandwidth_mhz: float | None = key(
        None, "signal", "occupied bandwidth; symbol rate = bandwidth/(1+roll_off)", unit="MHz",
        low=0, high=1e5, above=True, example=60.0
    )
    roll_off: float = key(0.2, "signal", "of the pulse shape", low=0, high=1)
    frame_efficiency: float = key(
        1.0, "signal", "share of the symbols that carry image", low=0, high=1, above=True
    )
    implementation_loss_db: float = key(
        0.0, "signal", "of modem and filters", unit="dB", low=0, high=30, example=1.5
    )
    c_over_i_db: float | None = key(
        None, "signal", "carrier to interference at the decoder, the same under rain",
        unit="dB", low=-50,
        high=100
    )
    margin_db: float = key(
        0.0, "signal", "margin in SNR to keep to the target metric", unit="dB", low=0, high=50
    )
    bit_rate_mbps: float | None = key(
        None, "signal", "of a digital link; adds rows down to its Eb/N0", unit="Mb/s", low=0,
        high=1e6, above=True
    )
    required_eb_n0_db: float | None = key(
        None, "signal", "that this digital link needs", unit="dB", low=-10, high=60
    )

    bands: int = key(3, "image", "bands of the imagery", low=1, high=10_000)
    height_px: int = key(
        64, "image", "rows", unit="px", low=1, high=1_000_000, example=4096
    )
    width_px: int = key(
        64, "image", "columns", unit="px", low=1, high=1_000_000, example=4096
    )
    tile_px: int | None = key(
        None, "image", "side of the tiles that the codec takes; images are padded to whole tiles",
        unit="px", low=1, high=100_000, example=64
    )
    cr: float | None = key(
        None, "image", 'compression ratio k/n, e.g. "1/12"', low=0, high=1, above=True,
        example="1/12"
    )
    images_per_s: float | None = key(
        None, "image", "rate to deliver; then a smallest bandwidth exists", unit="1/s",
        low=0, high=1e9, above=True
    )

    # fmt: on

    warnings: tuple[str, ...] = dataclasses.field(
        default=(), compare=False, metadata={"key": Key("", "what looks implausible")}
    )

    def __post_init__(self) -> None:
        check({name: getattr(self, name) for name in KEYS}, KEYS, DEFAULTS)

    @classmethod
    def from_toml(cls, path: Path | str, **otherwise: Any) -> Self:  # noqa: ANN401
        """Read a link file; `otherwise` as for `from_dict`."""
        path = Path(path)
        try:
            text = path.read_text(encoding="utf-8")
            return cls.from_dict(tomllib.loads(text), **otherwise)
        except OSError as error:
            raise SemlossError(f"cannot read link file {path}: {error.strerror}") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise SemlossError(f"{path} is not TOML: {error}") from None
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
        refuse_incomplete(DEFAULTS | fields, KEYS, needed)
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


KEYS: dict[str, Key] = {name: k for name, k in keys_of(LinkData).items() if name != "warnings"}
DEFAULTS: dict[str, Any] = {f.name: f.default for f in dataclasses.fields(LinkData)}
