"""Rows of the ledger: what each says, its sign in the sum, and its formula for a spreadsheet."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from semloss.planning.budget.budget import BOLTZMANN_DB, Budget, samples_per_image
from semloss.planning.link.link import LinkData
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
    yield Row(
        "Receiver", "rx_pointing_loss_db", "receive pointing loss", "L_p,rx",
        b["rx_pointing_loss_db"], "dB", "-",
    )  # fmt: skip
    terms = "".join(f"{'-' if row.sign == '-' else '+'}{{{row.key}}}" for row in losses)
    yield Row("Receiver", "boltzmann_db", "Boltzmann constant", "k", -BOLTZMANN_DB, "dBW/K/Hz", "-")
    yield Row(
        "Receiver", "c_n0_dbhz", "carrier to noise density", "C/N0", b["c_n0_dbhz"], "dBHz", "=",
        "", f"{{eirp_dbw}}-{{fspl_db}}{terms}+{{g_over_t_db_k}}-{{rx_pointing_loss_db}}"
        "-{boltzmann_db}",
    )  # fmt: skip
    if link.bandwidth_mhz is not None:
        yield from _signal(link, b)
    if link.bit_rate_mbps is not None:
        yield from _digital(link, b)
    if link.bandwidth_mhz is not None:
        yield from _image(link, b)


def _transmitter(link: LinkData, b: dict[str, float]) -> Iterator[Row]:
    part = "Transmitter"
    if link.eirp_dbw is not None:
        yield Row(part, "eirp_dbw", "EIRP", "EIRP", b["eirp_dbw"], "dBW", "+", "given")
        return
    watts = 10 ** (b["power_dbw"] / 10)
    yield Row(part, "power_dbw", "amplifier power", "P", b["power_dbw"], "dBW", "+",
              f"{watts:.4g} W")  # fmt: skip
    yield Row(part, "obo_db", "output back-off", "OBO", b["obo_db"], "dB", "-")
    if link.papr_db is not None:
        yield from _suggested_back_off(link, b["power_dbw"])
    yield Row(
        part, "tx_line_loss_db", "transmit line loss", "L_tx", b["tx_line_loss_db"], "dB", "-"
    )
    if link.tx_dish_m is not None:
        yield from _dish(part, "tx", link.tx_dish_m, link.tx_efficiency, b, link.freq_ghz)
    else:
        yield Row(
            part, "tx_gain_dbi", "transmit antenna gain", "G_tx", b["tx_gain_dbi"], "dBi", "+"
        )
    yield Row(
        part, "tx_pointing_loss_db", "transmit pointing loss", "L_p,tx", b["tx_pointing_loss_db"],
        "dB", "-",
    )  # fmt: skip
    yield Row(
        part, "eirp_dbw", "EIRP", "EIRP", b["eirp_dbw"], "dBW", "=", "",
        "{power_dbw}-{obo_db}-{tx_line_loss_db}+{tx_gain_dbi}-{tx_pointing_loss_db}",
    )  # fmt: skip


def _suggested_back_off(link: LinkData, power_dbw: float) -> Iterator[Row]:
    """Back-off at which peaks at the symbol instants do not exceed what the amplifier can give.

    The PAPR is that of one sample a symbol; between symbols the pulse shape goes beyond it.
    """
    assert link.papr_db is not None
    saturation = power_dbw if link.pa_saturation_dbw is None else link.pa_saturation_dbw
    part = "Transmitter"
    yield Row(part, "papr_db", "peak-to-average ratio", "PAPR", link.papr_db, "dB")
    yield Row(
        part, "pa_saturation_dbw", "saturated power", "P_sat", saturation, "dBW", "", "",
        "{power_dbw}" if link.pa_saturation_dbw is None else "",
    )  # fmt: skip
    yield Row(
        part, "suggested_obo_db", "suggested back-off", "",
        max(0.0, power_dbw + link.papr_db - saturation), "dB", "",
        "at the symbol instants; pulse shaping asks for more",
        "MAX(0,{power_dbw}+{papr_db}-{pa_saturation_dbw})",
    )  # fmt: skip


def _dish(
    part: str, side: str, diameter_m: float, efficiency: float, b: dict[str, float], freq: float
) -> Iterator[Row]:
    """Aperture and the gain it has; the frequency is written in where it has no row yet."""
    way = "transmit" if side == "tx" else "receive"
    yield Row(part, f"{side}_dish_m", f"{way} dish diameter", f"D_{side}", diameter_m, "m")
    yield Row(part, f"{side}_efficiency", "aperture efficiency", "η", efficiency)
    turns = f"PI()*{{{side}_dish_m}}*{{freq_ghz}}*1E9/{SPEED_OF_LIGHT_M_S:.0f}"
    yield Row(
        part, f"{side}_gain_dbi", f"{way} antenna gain", f"G_{side}", b[f"{side}_gain_dbi"],
        "dBi", "+", f"at {freq:g} GHz", f"10*LOG10({{{side}_efficiency}}*({turns})^2)",
    )  # fmt: skip


def _path(link: LinkData, b: dict[str, float]) -> Iterator[Row]:
    part = "Path"
    yield Row(part, "freq_ghz", "frequency", "f", b["freq_ghz"], "GHz")
    formula = ""
    if link.range_km is None:
        assert link.height_km is not None
        yield Row(part, "height_km", "orbit height", "h", link.height_km, "km")
        yield Row(part, "station_altitude_km", "station altitude", "", link.station_altitude_km,
                  "km")  # fmt: skip
        station = f"({EARTH_RADIUS_KM:g}+{{station_altitude_km}})"
        up = f"{station}*SIN(RADIANS({{elevation_deg}}))"
        orbit = f"({EARTH_RADIUS_KM:g}+{{height_km}})"
        formula = f"SQRT(({up})^2+{orbit}^2-{station}^2)-{up}"
    if link.elevation_deg is not None:
        yield Row(part, "elevation_deg", "elevation", "e", b["elevation_deg"], "deg")
    yield Row(part, "range_km", "slant range", "d", b["range_km"], "km", "", "", formula)
    yield Row(
        part, "fspl_db", "free-space loss", "FSPL", b["fspl_db"], "dB", "-", "",
        f"20*LOG10(4*PI()*{{range_km}}*1E3*{{freq_ghz}}*1E9/{SPEED_OF_LIGHT_M_S:.0f})",
    )  # fmt: skip


def _losses(link: LinkData, b: dict[str, float]) -> Iterator[Row]:
    part = "Atmosphere"
    itu = "ITU-R P.618 family, not live" if link.atmosphere_model == "itu" else ""
    slanted = "zenith loss / sin(elevation), not live" if link.zenith_losses else itu
    rain = itu
    if link.availability_percent is not None:
        exceeded = f"exceeded {100 - link.availability_percent:.4g} % of the year"
        rain = f"{exceeded}; {itu or 'P.618-13, not live'}"
    yield Row(part, "gas_loss_db", "gases", "A_G", b["gas_loss_db"], "dB", "-", slanted)
    yield Row(part, "cloud_loss_db", "clouds", "A_C", b["cloud_loss_db"], "dB", "-", slanted)
    yield Row(part, "rain_loss_db", "rain", "A_R", b["rain_loss_db"], "dB", "-", rain)
    yield Row(
        part, "scintillation_loss_db", "scintillation", "A_S", b["scintillation_loss_db"], "dB",
        "-", itu,
    )  # fmt: skip
    if itu:
        yield Row(
            part, "combining_credit_db", "joint statistics", "", b["combining_credit_db"], "dB",
            "+", "the worst of each do not coincide",
            "{rain_loss_db}+{cloud_loss_db}+{scintillation_loss_db}"
            "-SQRT(({rain_loss_db}+{cloud_loss_db})^2+{scintillation_loss_db}^2)",
        )  # fmt: skip
    yield Row(
        part, "polarisation_loss_db", "polarisation", "L_pol", b["polarisation_loss_db"], "dB", "-"
    )
    if link.other_loss_db:
        yield Row(part, "other_loss_db", "other", "L_o", b["other_loss_db"], "dB", "-")


def _receiver(link: LinkData, b: dict[str, float]) -> Iterator[Row]:
    part = "Receiver"
    if link.g_over_t_db_k is not None:
        yield Row(part, "g_over_t_db_k", "figure of merit", "G/T", b["g_over_t_db_k"], "dB/K", "+",
                  "given")  # fmt: skip
        return
    if link.rx_dish_m is not None:
        yield from _dish(part, "rx", link.rx_dish_m, link.rx_efficiency, b, link.freq_ghz)
    else:
        yield Row(part, "rx_gain_dbi", "receive antenna gain", "G_rx", b["rx_gain_dbi"], "dBi", "+")
    yield Row(part, "rx_line_loss_db", "receive line loss", "L_rx", b["rx_line_loss_db"], "dB", "-")
    yield from _noise(link, b)
    yield Row(
        part, "t_sys_dbk", "system noise in dBK", "", 10 * math.log10(b["t_sys_k"]), "dBK", "-",
        "", "10*LOG10({t_sys_k})",
    )  # fmt: skip
    yield Row(
        part, "g_over_t_db_k", "figure of merit", "G/T", b["g_over_t_db_k"], "dB/K", "=", "",
        "{rx_gain_dbi}-{rx_line_loss_db}-{t_sys_dbk}",
    )  # fmt: skip


def _noise(link: LinkData, b: dict[str, float]) -> Iterator[Row]:
    part = "Receiver"
    if link.t_sys_k is not None:
        yield Row(part, "t_sys_k", "system noise temperature", "T_sys", b["t_sys_k"], "K")
        return
    assert link.t_ant_k is not None
    assert link.noise_figure_db is not None
    yield Row(part, "t_ant_k", "antenna temperature, clear sky", "T_ant", link.t_ant_k, "K")
    sky = "{t_ant_k}"
    if link.rain_warms_sky:
        yield Row(part, "t_rain_k", "temperature of rain", "T_m", link.t_rain_k, "K")
        yield Row(
            part, "t_sky_k", "antenna temperature under rain", "T_sky", b["t_ant_k"], "K", "", "",
            "{t_ant_k}*10^(-{rain_loss_db}/10)+{t_rain_k}*(1-10^(-{rain_loss_db}/10))",
        )  # fmt: skip
        sky = "{t_sky_k}"
    yield Row(part, "noise_figure_db", "noise figure", "NF", link.noise_figure_db, "dB")
    yield Row(
        part, "t_sys_k", "system noise temperature", "T_sys", b["t_sys_k"], "K", "", "",
        f"{sky}*10^(-{{rx_line_loss_db}}/10)+290*(1-10^(-{{rx_line_loss_db}}/10))"
        "+290*(10^({noise_figure_db}/10)-1)",
    )  # fmt: skip


def _signal(link: LinkData, b: dict[str, float]) -> Iterator[Row]:
    part = "Signal"
    yield Row(part, "bandwidth_mhz", "bandwidth", "B", b["bandwidth_mhz"], "MHz")
    yield Row(part, "roll_off", "roll-off", "ρ", link.roll_off)
    yield Row(
        part, "symbol_rate_hz", "symbol rate", "R_s", b["symbol_rate_hz"], "1/s", "", "",
        "{bandwidth_mhz}*1E6/(1+{roll_off})",
    )  # fmt: skip
    yield Row(
        part, "symbol_rate_dbhz", "symbol rate in dBHz", "", 10 * math.log10(b["symbol_rate_hz"]),
        "dBHz", "-", "", "10*LOG10({symbol_rate_hz})",
    )  # fmt: skip
    yield Row(
        part, "es_n0_db", "symbol energy to noise density", "E_s/N0", b["es_n0_db"], "dB", "=", "",
        "{c_n0_dbhz}-{symbol_rate_dbhz}",
    )  # fmt: skip
    yield _implementation(part, link)
    after = "{es_n0_db}-{implementation_loss_db}"
    if link.c_over_i_db is not None:
        left = b["es_n0_db"] - link.implementation_loss_db
        yield Row(part, "c_over_i_db", "carrier to interference", "C/I", link.c_over_i_db, "dB")
        yield Row(
            part, "interference_loss_db", "loss by interference", "L_I", left - b["snr_db"], "dB",
            "-", "", f"10*LOG10(1+10^(({after}-{{c_over_i_db}})/10))",
        )  # fmt: skip
        after += "-{interference_loss_db}"
    yield Row(part, "snr_db", "SNR, Es/N0 at the decoder", "SNR", b["snr_db"], "dB", "=", "", after)


def _implementation(part: str, link: LinkData) -> Row:
    return Row(
        part, "implementation_loss_db", "implementation loss", "L_im",
        link.implementation_loss_db, "dB", "-",
    )  # fmt: skip


def _digital(link: LinkData, b: dict[str, float]) -> Iterator[Row]:
    part = "Digital"
    assert link.bit_rate_mbps is not None
    rate = 10 * math.log10(1e6 * link.bit_rate_mbps)
    eb_n0 = b["c_n0_dbhz"] - rate
    yield Row(part, "bit_rate_mbps", "bit rate", "R_b", link.bit_rate_mbps, "Mb/s")
    yield Row(
        part, "bit_rate_dbhz", "bit rate in dBHz", "", rate, "dBHz", "-", "from C/N0",
        "10*LOG10({bit_rate_mbps}*1E6)",
    )  # fmt: skip
    yield Row(
        part, "eb_n0_db", "bit energy to noise density", "E_b/N0", eb_n0, "dB", "=", "",
        "{c_n0_dbhz}-{bit_rate_dbhz}",
    )  # fmt: skip
    if link.required_eb_n0_db is None:
        return
    if link.bandwidth_mhz is None:
        yield _implementation(part, link)
    # Interference takes as many dB from the energy of a bit as from that of a symbol.
    lost, terms = link.implementation_loss_db, "-{implementation_loss_db}"
    if link.c_over_i_db is not None:
        lost, terms = b["es_n0_db"] - b["snr_db"], f"{terms}-{{interference_loss_db}}"
    yield Row(part, "required_eb_n0_db", "required", "", link.required_eb_n0_db, "dB", "-")
    yield Row(
        part, "digital_margin_db", "margin", "", eb_n0 - lost - link.required_eb_n0_db, "dB", "=",
        "", f"{{eb_n0_db}}{terms}-{{required_eb_n0_db}}",
    )  # fmt: skip


def _image(link: LinkData, b: dict[str, float]) -> Iterator[Row]:
    part = "Image"
    n = samples_per_image(link)
    tiles = "" if link.tile_px is None else f" in tiles of {link.tile_px} px"
    size = f"{link.bands} × {link.height_px} × {link.width_px}{tiles}"
    yield Row(part, "samples_per_image", "samples per image", "n", n, "", "", size)
    if link.cr is None:
        return
    yield Row(part, "cr", "compression ratio", "CR", link.cr, "", "", format_cr(link.cr))
    yield Row(
        part, "symbols_per_image", "symbols per image", "k", link.cr * n, "", "", "",
        "{cr}*{samples_per_image}",
    )  # fmt: skip
    yield Row(part, "frame_efficiency", "frame efficiency", "η_f", link.frame_efficiency)
    yield Row(
        part, "images_per_second", "images per second", "",
        b["symbol_rate_hz"] * link.frame_efficiency / (link.cr * n), "1/s", "=", "",
        "{symbol_rate_hz}*{frame_efficiency}/{symbols_per_image}",
    )  # fmt: skip
