"""Rows of the ledger: what each says, its sign in the sum, and its formula for a spreadsheet."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from semloss.planning.budget.budget import (
    BOLTZMANN_DB,
    Budget,
    image_km2,
    image_mb,
    images_per_s,
    samples_per_image,
)
from semloss.planning.budget.remarks import suggested_obo_db
from semloss.planning.link.link import LinkData
from semloss.planning.propagation.atmosphere import LOWEST_LAYER_DEG
from semloss.planning.propagation.geometry import EARTH_RADIUS_KM, SPEED_OF_LIGHT_M_S
from semloss.units import format_cr


@dataclass(frozen=True)
class Row:
    """One line of the ledger.

    `sign` tells the row's part in the sum: "+" and "-" enter it, "=" is a result, "" informs.
    `formula` gives the value from other rows, their keys in braces, in spreadsheet notation;
    rows without one are inputs, or come from a model that no cell can hold.
    """

    section: str
    key: str
    name: str
    symbol: str
    value: float
    unit: str = ""
    sign: str = ""
    note: str = ""
    formula: str = ""


#: What each row of a link is: section, name, symbol, unit and sign, in the order of the ledger.
_ABOUT: dict[str, tuple[str, str, str, str, str]] = {
    "power_dbw": ("Transmitter", "amplifier power", "P", "dBW", "+"),
    "obo_db": ("Transmitter", "output back-off", "OBO", "dB", "-"),
    "papr_db": ("Transmitter", "peak-to-average ratio", "PAPR", "dB", ""),
    "pa_saturation_dbw": ("Transmitter", "saturated power", "P_sat", "dBW", ""),
    "suggested_obo_db": ("Transmitter", "suggested back-off", "", "dB", ""),
    "tx_line_loss_db": ("Transmitter", "transmit line loss", "L_tx", "dB", "-"),
    "tx_dish_m": ("Transmitter", "transmit dish diameter", "D_tx", "m", ""),
    "tx_efficiency": ("Transmitter", "aperture efficiency", "η", "", ""),
    "tx_gain_dbi": ("Transmitter", "transmit antenna gain", "G_tx", "dBi", "+"),
    "tx_pointing_loss_db": ("Transmitter", "transmit pointing loss", "L_p,tx", "dB", "-"),
    "eirp_boresight_dbw": ("Transmitter", "EIRP on boresight", "", "dBW", "+"),
    "eirp_dbw": ("Transmitter", "EIRP", "EIRP", "dBW", "="),
    "freq_ghz": ("Path", "frequency", "f", "GHz", ""),
    "height_km": ("Path", "orbit height", "h", "km", ""),
    "station_altitude_km": ("Path", "station altitude", "", "km", ""),
    "elevation_deg": ("Path", "elevation", "e", "deg", ""),
    "range_km": ("Path", "slant range", "d", "km", ""),
    "fspl_db": ("Path", "free-space loss", "FSPL", "dB", "-"),
    "pfd_dbw_m2": ("Path", "power flux density, clear sky", "PFD", "dBW/m²", ""),
    "gas_loss_db": ("Atmosphere", "gases", "A_G", "dB", "-"),
    "cloud_loss_db": ("Atmosphere", "clouds", "A_C", "dB", "-"),
    "rain_loss_db": ("Atmosphere", "rain", "A_R", "dB", "-"),
    "scintillation_loss_db": ("Atmosphere", "scintillation", "A_S", "dB", "-"),
    "combining_credit_db": ("Atmosphere", "joint statistics", "", "dB", "+"),
    "polarisation_loss_db": ("Atmosphere", "polarisation", "L_pol", "dB", "-"),
    "other_loss_db": ("Atmosphere", "other", "L_o", "dB", "-"),
    "rx_dish_m": ("Receiver", "receive dish diameter", "D_rx", "m", ""),
    "rx_efficiency": ("Receiver", "aperture efficiency", "η", "", ""),
    "rx_gain_dbi": ("Receiver", "receive antenna gain", "G_rx", "dBi", "+"),
    "rx_line_loss_db": ("Receiver", "receive line loss", "L_rx", "dB", "-"),
    "t_ant_k": ("Receiver", "antenna temperature, clear sky", "T_ant", "K", ""),
    "t_rain_k": ("Receiver", "temperature of rain", "T_m", "K", ""),
    "t_sky_k": ("Receiver", "antenna temperature under rain", "T_sky", "K", ""),
    "noise_figure_db": ("Receiver", "noise figure", "NF", "dB", ""),
    "t_sys_k": ("Receiver", "system noise temperature", "T_sys", "K", ""),
    "t_sys_dbk": ("Receiver", "system noise in dBK", "", "dBK", "-"),
    "g_over_t_db_k": ("Receiver", "figure of merit", "G/T", "dB/K", "="),
    "received_dbw": ("Receiver", "received power, at the amplifier", "C", "dBW", ""),
    "rx_pointing_loss_db": ("Receiver", "receive pointing loss", "L_p,rx", "dB", "-"),
    "boltzmann_db": ("Receiver", "Boltzmann constant", "k", "dBW/K/Hz", "-"),
    "c_n0_dbhz": ("Receiver", "carrier to noise density", "C/N0", "dBHz", "="),
    "bandwidth_mhz": ("Signal", "bandwidth", "B", "MHz", ""),
    "roll_off": ("Signal", "roll-off", "ρ", "", ""),
    "symbol_rate_hz": ("Signal", "symbol rate", "R_s", "1/s", ""),
    "symbol_rate_dbhz": ("Signal", "symbol rate in dBHz", "", "dBHz", "-"),
    "noise_dbw": ("Signal", "noise in the symbol rate", "kTB", "dBW", ""),
    "c_n_db": ("Signal", "carrier to noise in the bandwidth", "C/N", "dB", ""),
    "es_n0_db": ("Signal", "symbol energy to noise density", "E_s/N0", "dB", "="),
    "implementation_loss_db": ("Signal", "implementation loss", "L_im", "dB", "-"),
    "c_over_i_db": ("Signal", "carrier to interference", "C/I", "dB", ""),
    "interference_loss_db": ("Signal", "loss by interference", "L_I", "dB", "-"),
    "snr_db": ("Signal", "SNR, Es/N0 at the decoder", "SNR", "dB", "="),
    "bit_rate_mbps": ("Digital", "bit rate", "R_b", "Mb/s", ""),
    "bit_rate_dbhz": ("Digital", "bit rate in dBHz", "", "dBHz", "-"),
    "eb_n0_db": ("Digital", "bit energy to noise density", "E_b/N0", "dB", "="),
    "required_eb_n0_db": ("Digital", "required", "", "dB", "-"),
    "digital_margin_db": ("Digital", "margin", "", "dB", "="),
    "samples_per_image": ("Image", "samples per image", "n", "", ""),
    "cr": ("Image", "compression ratio", "CR", "", ""),
    "symbols_per_image": ("Image", "symbols per image", "k", "", ""),
    "frame_efficiency": ("Image", "frame efficiency", "η_f", "", ""),
    "images_per_second": ("Image", "images per second", "", "1/s", "="),
    "encoder_mmac": ("Image", "multiply-accumulates to encode a tile", "", "million", ""),
    "pj_per_mac": ("Image", "energy of one", "", "pJ", ""),
    "encoder_j": ("Image", "energy to encode an image", "", "J", ""),
    "radio_w": ("Image", "power drawn while sending", "", "W", ""),
    "radio_j": ("Image", "energy to send an image", "", "J", ""),
    "energy_j": ("Image", "energy of an image delivered", "E", "J", "="),
    "image_mb": ("Image", "source data of an image", "", "MB", ""),
    "data_mb_per_s": ("Image", "source data per second", "", "MB/s", ""),
    "image_km2": ("Image", "area of an image", "", "km²", ""),
    "area_km2_per_s": ("Image", "area per second", "", "km²/s", ""),
}


def link_rows(link: LinkData, budget: Budget) -> Iterator[Row]:
    """Rows of a link's budget from amplifier to images per second.

    Parameters
    ----------
    link
        The link, all overrides applied.
    budget
        Its budget, scalars.
    """
    b = {name: float(getattr(budget, name)) for name in budget.__dataclass_fields__}
    yield from _transmitter(link, b)
    losses = list(_losses(link, b))
    yield from _path(link, b)
    yield from losses
    yield from _receiver(link, b)
    yield _row("rx_pointing_loss_db", b)
    terms = "".join(f"{'-' if row.sign == '-' else '+'}{{{row.key}}}" for row in losses)
    if not math.isnan(b["rx_gain_dbi"]):
        gain = b["rx_gain_dbi"] - b["rx_line_loss_db"] - b["rx_pointing_loss_db"]
        yield _row(
            "received_dbw", b["eirp_dbw"] - b["fspl_db"] - b["loss_db"] + gain,
            formula=f"{{eirp_dbw}}-{{fspl_db}}{terms}+{{rx_gain_dbi}}-{{rx_line_loss_db}}"
            "-{rx_pointing_loss_db}",
        )  # fmt: skip
    yield _row("boltzmann_db", -BOLTZMANN_DB)
    yield _row(
        "c_n0_dbhz", b, formula=f"{{eirp_dbw}}-{{fspl_db}}{terms}+{{g_over_t_db_k}}"
        "-{rx_pointing_loss_db}-{boltzmann_db}",
    )  # fmt: skip
    if link.bandwidth_mhz is not None:
        yield from _signal(link, b)
    if link.bit_rate_mbps is not None:
        yield from _digital(link, b)
    if link.bandwidth_mhz is not None:
        yield from _image(link, b)


def _row(
    key: str,
    value: float | Mapping[str, float] | None,
    note: str = "",
    formula: str = "",
    sign: str | None = None,
) -> Row:
    """A row of the link, its value given or that of its key in the budget."""
    section, name, symbol, unit, usual = _ABOUT[key]
    number = value[key] if isinstance(value, Mapping) else value
    assert number is not None, "a row of what the link does not give is not asked"
    return Row(section, key, name, symbol, number, unit, usual if sign is None else sign, note,
               formula)  # fmt: skip


def _transmitter(link: LinkData, b: dict[str, float]) -> Iterator[Row]:
    if link.eirp_dbw is not None:
        if not link.tx_pointing_loss_db:
            yield _row("eirp_dbw", b, "given", sign="+")
            return
        yield _row("eirp_boresight_dbw", link.eirp_dbw, "given")
        yield _row("tx_pointing_loss_db", b)
        yield _row("eirp_dbw", b, formula="{eirp_boresight_dbw}-{tx_pointing_loss_db}")
        return
    yield _row("power_dbw", b, f"{10 ** (b['power_dbw'] / 10):.4g} W")
    yield _row("obo_db", b)
    if link.papr_db is not None:
        yield from _suggested_back_off(link, b["power_dbw"])
    yield _row("tx_line_loss_db", b)
    yield from _antenna("tx", link.tx_dish_m, link.tx_efficiency, b)
    yield _row("tx_pointing_loss_db", b)
    yield _row(
        "eirp_dbw", b,
        formula="{power_dbw}-{obo_db}-{tx_line_loss_db}+{tx_gain_dbi}-{tx_pointing_loss_db}",
    )  # fmt: skip


def _suggested_back_off(link: LinkData, power_dbw: float) -> Iterator[Row]:
    """Peak-to-average ratio, and the back-off that it asks for."""
    assert link.papr_db is not None
    given = link.pa_saturation_dbw
    yield _row("papr_db", link.papr_db)
    yield _row("pa_saturation_dbw", power_dbw if given is None else given,
               formula="{power_dbw}" if given is None else "")  # fmt: skip
    yield _row(
        "suggested_obo_db", suggested_obo_db(link, link.papr_db),
        "at the symbol instants; pulse shaping asks for more",
        "MAX(0,{power_dbw}+{papr_db}-{pa_saturation_dbw})",
    )  # fmt: skip


def _antenna(
    side: str, diameter_m: float | None, efficiency: float, b: dict[str, float]
) -> Iterator[Row]:
    """Gain of an antenna, from its aperture where that is given."""
    gain = f"{side}_gain_dbi"
    if diameter_m is None:
        yield _row(gain, b)
        return
    yield _row(f"{side}_dish_m", diameter_m)
    yield _row(f"{side}_efficiency", efficiency)
    turns = f"PI()*{{{side}_dish_m}}*{{freq_ghz}}*1E9/{SPEED_OF_LIGHT_M_S:.0f}"
    yield _row(gain, b, f"at {b['freq_ghz']:g} GHz", f"10*LOG10({{{side}_efficiency}}*({turns})^2)")


def _path(link: LinkData, b: dict[str, float]) -> Iterator[Row]:
    yield _row("freq_ghz", b)
    formula = ""
    if link.fspl_db is not None:
        if link.elevation_deg is not None:
            yield _row("elevation_deg", b)
        yield _row("fspl_db", b, "given")
        return
    if link.range_km is None:
        yield _row("height_km", link.height_km)
        yield _row("station_altitude_km", link.station_altitude_km)
        station = f"({EARTH_RADIUS_KM:g}+{{station_altitude_km}})"
        up = f"{station}*SIN(RADIANS({{elevation_deg}}))"
        orbit = f"({EARTH_RADIUS_KM:g}+{{height_km}})"
        formula = f"SQRT(({up})^2+{orbit}^2-{station}^2)-{up}"
    if link.elevation_deg is not None:
        yield _row("elevation_deg", b)
    yield _row("range_km", b, formula=formula)
    turns = f"{{range_km}}*1E3*{{freq_ghz}}*1E9/{SPEED_OF_LIGHT_M_S:.0f}"
    yield _row("fspl_db", b, formula=f"20*LOG10(4*PI()*{turns})")
    spread = 10 * math.log10(4 * math.pi * (1e3 * b["range_km"]) ** 2)
    yield _row("pfd_dbw_m2", b["eirp_dbw"] - spread,
               formula="{eirp_dbw}-10*LOG10(4*PI()*({range_km}*1E3)^2)")  # fmt: skip


def _losses(link: LinkData, b: dict[str, float]) -> Iterator[Row]:
    itu = "ITU-R P.618 family, not live" if link.atmosphere_model == "itu" else ""
    slanted = itu
    if link.zenith_losses:
        low = b["elevation_deg"] < LOWEST_LAYER_DEG
        at = f"{LOWEST_LAYER_DEG:g} deg, as below it" if low else "elevation"
        slanted = f"zenith loss / sin({at}), not live"
    rain = itu
    if link.availability_percent is not None:
        exceeded = f"exceeded {100 - link.availability_percent:.4g} % of the year"
        rain = f"{exceeded}; {itu or 'P.618-13, not live'}"
    yield _row("gas_loss_db", b, slanted)
    yield _row("cloud_loss_db", b, slanted)
    yield _row("rain_loss_db", b, rain)
    yield _row("scintillation_loss_db", b, itu)
    if itu:
        yield _row(
            "combining_credit_db", b, "the worst of each do not coincide",
            "{rain_loss_db}+{cloud_loss_db}+{scintillation_loss_db}"
            "-SQRT(({rain_loss_db}+{cloud_loss_db})^2+{scintillation_loss_db}^2)",
        )  # fmt: skip
    yield _row("polarisation_loss_db", b)
    if link.other_loss_db:
        yield _row("other_loss_db", b)


def _receiver(link: LinkData, b: dict[str, float]) -> Iterator[Row]:
    if link.g_over_t_db_k is not None:
        yield _row("g_over_t_db_k", b, "given", sign="+")
        return
    yield from _antenna("rx", link.rx_dish_m, link.rx_efficiency, b)
    yield _row("rx_line_loss_db", b)
    yield from _noise(link, b)
    yield _row("t_sys_dbk", 10 * math.log10(b["t_sys_k"]), formula="10*LOG10({t_sys_k})")
    yield _row("g_over_t_db_k", b, formula="{rx_gain_dbi}-{rx_line_loss_db}-{t_sys_dbk}")


def _noise(link: LinkData, b: dict[str, float]) -> Iterator[Row]:
    if link.t_sys_k is not None:
        yield _row("t_sys_k", b)
        return
    yield _row("t_ant_k", link.t_ant_k)
    sky = "{t_ant_k}"
    if link.rain_warms_sky:
        yield _row("t_rain_k", link.t_rain_k)
        itu = link.atmosphere_model == "itu"
        through = f"10^(-({{rain_loss_db}}{'+{cloud_loss_db}' if itu else ''})/10)"
        yield _row("t_sky_k", b["t_ant_k"], "rain and cloud" if itu else "",
                   f"{{t_ant_k}}*{through}+{{t_rain_k}}*(1-{through})")  # fmt: skip
        sky = "{t_sky_k}"
    yield _row("noise_figure_db", link.noise_figure_db)
    line = "10^(-{rx_line_loss_db}/10)"
    amplifier = "290*(10^({noise_figure_db}/10)-1)"
    yield _row("t_sys_k", b, formula=f"{sky}*{line}+290*(1-{line})+{amplifier}")


def _signal(link: LinkData, b: dict[str, float]) -> Iterator[Row]:
    yield _row("bandwidth_mhz", b)
    yield _row("roll_off", link.roll_off)
    yield _row("symbol_rate_hz", b, formula="{bandwidth_mhz}*1E6/(1+{roll_off})")
    yield _row("symbol_rate_dbhz", 10 * math.log10(b["symbol_rate_hz"]),
               formula="10*LOG10({symbol_rate_hz})")  # fmt: skip
    if link.g_over_t_db_k is None:
        noise = 10 * math.log10(b["t_sys_k"] * b["symbol_rate_hz"]) - BOLTZMANN_DB
        yield _row("noise_dbw", noise, formula="{boltzmann_db}+{t_sys_dbk}+{symbol_rate_dbhz}")
    in_band = b["c_n0_dbhz"] - 10 * math.log10(1e6 * b["bandwidth_mhz"])
    yield _row("c_n_db", in_band, formula="{c_n0_dbhz}-10*LOG10({bandwidth_mhz}*1E6)")
    yield _row("es_n0_db", b, formula="{c_n0_dbhz}-{symbol_rate_dbhz}")
    yield _row("implementation_loss_db", b)
    after = "{es_n0_db}-{implementation_loss_db}"
    if link.c_over_i_db is not None:
        left = b["es_n0_db"] - link.implementation_loss_db
        yield _row("c_over_i_db", b)
        yield _row("interference_loss_db", left - b["snr_db"],
                   formula=f"10*LOG10(1+10^(({after}-{{c_over_i_db}})/10))")  # fmt: skip
        after += "-{interference_loss_db}"
    yield _row("snr_db", b, formula=after)


def _digital(link: LinkData, b: dict[str, float]) -> Iterator[Row]:
    assert link.bit_rate_mbps is not None
    rate = 10 * math.log10(1e6 * link.bit_rate_mbps)
    eb_n0 = b["c_n0_dbhz"] - rate
    yield _row("bit_rate_mbps", link.bit_rate_mbps)
    yield _row("bit_rate_dbhz", rate, "from C/N0", "10*LOG10({bit_rate_mbps}*1E6)")
    yield _row("eb_n0_db", eb_n0, formula="{c_n0_dbhz}-{bit_rate_dbhz}")
    if link.required_eb_n0_db is None:
        return
    if link.bandwidth_mhz is None:
        yield replace(_row("implementation_loss_db", b), section="Digital")
    # Interference takes as many dB from the energy of a bit as from that of a symbol.
    lost, terms = link.implementation_loss_db, "-{implementation_loss_db}"
    if link.c_over_i_db is not None:
        lost, terms = b["es_n0_db"] - b["snr_db"], f"{terms}-{{interference_loss_db}}"
    yield _row("required_eb_n0_db", link.required_eb_n0_db)
    yield _row("digital_margin_db", eb_n0 - lost - link.required_eb_n0_db,
               formula=f"{{eb_n0_db}}{terms}-{{required_eb_n0_db}}")  # fmt: skip


def _image(link: LinkData, b: dict[str, float]) -> Iterator[Row]:
    n = samples_per_image(link)
    tiles = "" if link.tile_px is None else f" in tiles of {link.tile_px} px"
    size = f"{link.bands} × {link.height_px} × {link.width_px}{tiles}"
    yield _row("samples_per_image", n, size)
    if link.cr is None:
        return
    yield _row("cr", link.cr, format_cr(link.cr))
    yield _row("symbols_per_image", link.cr * n, formula="{cr}*{samples_per_image}")
    yield _row("frame_efficiency", link.frame_efficiency)
    rate = float(images_per_s(link, link.cr))
    yield _row("images_per_second", rate,
               formula="{symbol_rate_hz}*{frame_efficiency}/{symbols_per_image}")  # fmt: skip
    yield from _energy(link, n, rate)
    megabytes, area = image_mb(link), image_km2(link)
    depth = f"{link.bit_depth} bit a sample"
    yield _row("image_mb", megabytes, depth)
    yield _row("data_mb_per_s", megabytes * rate, formula="{image_mb}*{images_per_second}")
    if area is not None:
        yield _row("image_km2", area, f"at {link.gsd_m:g} m")
        yield _row("area_km2_per_s", area * rate, formula="{image_km2}*{images_per_second}")


def _energy(link: LinkData, n: int, images_per_second: float) -> Iterator[Row]:
    """Energy on board of an image delivered: to encode it, and to be on the air for it."""
    encoder_j = radio_j = None
    if link.encoder_mmac is not None:
        tile = link.tile_px**2 if link.tile_px else link.height_px * link.width_px
        tiles = n // (link.bands * tile)
        encoder_j = link.encoder_mmac * tiles * link.pj_per_mac * 1e-6
        yield _row("encoder_mmac", link.encoder_mmac)
        yield _row("pj_per_mac", link.pj_per_mac)
        yield _row("encoder_j", encoder_j, f"{tiles} tiles",
                   f"{{encoder_mmac}}*{{pj_per_mac}}*{tiles}/1E6")  # fmt: skip
    if link.radio_w is not None:
        radio_j = link.radio_w / images_per_second
        yield _row("radio_w", link.radio_w)
        yield _row("radio_j", radio_j, formula="{radio_w}/{images_per_second}")
    if encoder_j is not None and radio_j is not None:
        yield _row("energy_j", encoder_j + radio_j, formula="{encoder_j}+{radio_j}")
