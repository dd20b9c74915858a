"""Our link budget beside public tools of the trade, on the examples that they document.

Each row is a figure: as the tool's own documents print it, as the tool computes it here where it
is installed, and as our ledger does; all three must agree in the last printed digit. The tools do
not go together with all that semloss needs, so give them an environment of their own:

    python -m venv trade
    trade/bin/pip install pylink-satcom opensatcom spacelink itur
    PYTHONPATH=. trade/bin/python benchmarks/tools_of_the_trade.py

A tool that is absent is said to be, and its documented figures stand beside ours all the same.
Ends with exit code 1 where a figure differs.
"""

import sys
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version

from semloss.planning.planner import Link
from semloss.planning.propagation.rain import rain_attenuation_db

Row = tuple[str, str, float, Callable[[], float] | None]
"""What it is, as the tool prints it, ours, and how the tool computes it."""


def opensatcom() -> Iterator[Row]:
    """The Ku-band downlink of its quickstart; Eb/N0 at 1 bit/s per Hz of the bandwidth."""
    ours = Link(
        freq_ghz=12.0, power_dbw=20.0, tx_line_loss_db=1.5, tx_gain_dbi=36.0, height_km=35_786.0,
        elevation_deg=30.0, rx_gain_dbi=38.0, t_sys_k=290.0, bit_rate_mbps=36.0,
        required_eb_n0_db=5.0,
    ).ledger()  # fmt: skip

    def theirs(name: str, scale: float = 1.0) -> Callable[[], float]:
        def compute() -> float:
            from opensatcom.antenna.parametric import ParametricAntenna
            from opensatcom.core import models
            from opensatcom.geometry.slant import slant_range_m
            from opensatcom.link.engine import DefaultLinkEngine
            from opensatcom.propagation import FreeSpacePropagation

            range_m = slant_range_m(0.0, 35_786_000.0, 30.0)
            if name == "range":
                return range_m * scale
            link = models.LinkInputs(
                tx_terminal=models.Terminal("GEO-Sat", 0.0, 0.0, 35_786_000.0),
                rx_terminal=models.Terminal(
                    "Ground", 38.9, -77.0, 0.0, system_noise_temp_k=290.0
                ),
                scenario=models.Scenario(
                    name="Ku-DL", direction="downlink", freq_hz=12e9, bandwidth_hz=36e6,
                    polarization="RHCP", required_metric="ebn0_db", required_value=5.0,
                ),
                tx_antenna=ParametricAntenna(gain_dbi=36.0),
                rx_antenna=ParametricAntenna(gain_dbi=38.0),
                propagation=FreeSpacePropagation(),
                rf_chain=models.RFChainModel(
                    tx_power_w=100.0, tx_losses_db=1.5, rx_noise_temp_k=75.0
                ),
            )  # fmt: skip
            conditions = models.PropagationConditions()
            found = DefaultLinkEngine().evaluate_snapshot(30.0, 0.0, range_m, link, conditions)
            return float(getattr(found, name))

        return compute

    # The quickstart prints the margin to two digits; the other rows are the tool's own outputs.
    yield "slant range [km]", "38608.9", ours["range_km"], theirs("range", 1e-3)
    yield "EIRP [dBW]", "54.50", ours["eirp_dbw"], theirs("eirp_dbw")
    yield "free-space loss [dB]", "205.77", ours["fspl_db"], theirs("path_loss_db")
    yield "G/T [dB/K]", "13.38", ours["g_over_t_db_k"], theirs("gt_dbk")
    yield "C/N0 [dBHz]", "90.71", ours["c_n0_dbhz"], theirs("cn0_dbhz")
    yield "margin [dB]", "10.15", ours["digital_margin_db"], theirs("margin_db")


def pylink_satcom() -> Iterator[Row]:
    """The figures of its tests of a budget (test/budget_test.py): 2045 km, -6 dBi at 2786 K."""
    ours = Link(
        freq_ghz=0.4024, eirp_dbw=21.5 - 0.5 - 0.5, range_km=2045.0, rx_gain_dbi=-6.0,
        t_sys_k=2786.0, bandwidth_mhz=1.0,
    ).ledger()  # fmt: skip

    def flux() -> float:
        import pylink

        return float(21.5 - 1.0 - pylink.spreading_loss_db(2045))

    def in_db(value: float, less: float) -> Callable[[], float]:
        def compute() -> float:
            import pylink

            return float(pylink.utils.to_db(value) - less)

        return compute

    density = ours["t_sys_dbk"] + ours["boltzmann_db"]
    yield "flux density [dBW/m²]", "-116.71", ours["pfd_dbw_m2"], flux
    yield "G/T [dB/K]", "-40.45", ours["g_over_t_db_k"], in_db(1 / 2786, 6.0)
    yield "noise density [dBW/Hz]", "-194.15", density, in_db(1.380649e-23 * 2786, 0.0)


def spacelink() -> Iterator[Row]:
    """Its functions on two published ledgers: DICE (Baktur 2022), and an X-band EO downlink."""
    dice = Link(
        freq_ghz=0.465, eirp_dbw=-4.0, range_km=1944.0, other_loss_db=1.5, g_over_t_db_k=9.03,
        bit_rate_mbps=1.5,
    ).ledger()  # fmt: skip
    eo = Link(
        freq_ghz=8.2, eirp_dbw=11.5, range_km=1694.6, rx_dish_m=3.0, rx_efficiency=0.6,
        t_ant_k=60.0, noise_figure_db=1.5, bandwidth_mhz=60.0,
    ).ledger()  # fmt: skip

    def path() -> float:
        import astropy.units as u
        from spacelink.core.path import free_space_path_loss

        return float(free_space_path_loss(1944 * u.km, 465 * u.MHz).value)

    def per_bit() -> float:
        import astropy.units as u
        from spacelink.core.noise import cn0_to_ebn0

        return float(cn0_to_ebn0(80.56 * u.dB(u.Hz), 1.5 * u.MHz).value)

    def dish() -> float:
        import astropy.units as u
        from spacelink.core.antenna import dish_gain

        return float(dish_gain(3 * u.m, 8.2 * u.GHz, 0.6 * u.dimensionless_unscaled).value)

    def noise() -> float:
        import astropy.units as u
        from spacelink.core.noise import noise_factor_to_temperature

        factor = 10 ** (1.5 / 10) * u.dimensionless_unscaled
        return 60.0 + float(noise_factor_to_temperature(factor).value)

    yield "DICE, free-space loss [dB]", "151.57", dice["fspl_db"], path
    yield "DICE, Eb/N0 [dB]", "18.80", dice["eb_n0_db"], per_bit
    yield "X-band, dish gain [dBi]", "46.01", eo["rx_gain_dbi"], dish
    yield "X-band, system noise [K]", "179.6", eo["t_sys_k"], noise


def itur() -> Iterator[Row]:
    """The ITU-R's validation row that it documents (P.618: London, 14.25 GHz, 1 % of the year)."""
    where = {"station_lat_deg": 51.5, "station_lon_deg": -0.14, "station_altitude_km": 0.031382983}
    exceeded = 1.0

    def losses() -> tuple[float, ...]:
        from itur import atmospheric_attenuation_slant_path

        found = atmospheric_attenuation_slant_path(
            51.5, -0.14, 14.25, 31.07694309, exceeded, 1.0, hs=0.031382983, eta=0.65, tau=0.0,
            return_contributions=True,
        )  # fmt: skip
        return tuple(float(part.value) for part in found)

    names = ("gas", "cloud", "rain", "scintillation", "total")
    printed = ("0.2269", "0.4552", "0.4953", "0.2619", "1.2128")
    if installed("itur") is None:
        return
    budget = Link(
        freq_ghz=14.25, eirp_dbw=50.0, height_km=35_786.0, elevation_deg=31.07694309,
        rx_dish_m=1.0, rx_efficiency=0.65, t_sys_k=200.0, bandwidth_mhz=30.0,
        atmosphere_model="itu", availability_percent=100 - exceeded, polarisation_tilt_deg=0.0,
        **where,
    ).budget()  # fmt: skip
    ours = [float(getattr(budget, f"{name}_loss_db")) for name in names[:-1]]
    ours.append(float(budget.loss_db))
    for i, name in enumerate(names):
        yield f"{name} loss [dB]", printed[i], ours[i], lambda i=i: losses()[i]
    from itur.models.itu837 import rainfall_rate
    from itur.models.itu839 import rain_height

    alone = rain_attenuation_db(
        r001_mm_h=float(rainfall_rate(51.5, -0.14, 0.01).value), exceeded_percent=exceeded,
        freq_ghz=14.25, elevation_deg=31.07694309, lat_deg=51.5,
        rain_height=float(rain_height(51.5, -0.14).value), altitude_km=0.031382983, tilt_deg=0.0,
    )  # fmt: skip
    yield "rain by our own P.618 [dB]", "0.4953", float(alone), lambda: losses()[2]


TOOLS: dict[str, Callable[[], Iterator[Row]]] = {
    "opensatcom": opensatcom, "pylink-satcom": pylink_satcom, "spacelink": spacelink, "itur": itur
}  # fmt: skip


def installed(name: str) -> str | None:
    """Version of a package, None where it is absent."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def main() -> int:
    """Lay the figures side by side; 1 where one differs in its last printed digit."""
    wrong = 0
    for name, rows in TOOLS.items():
        found = installed(name)
        print(f"{name} {found or '(not installed here)'}")
        for what, printed, ours, compute in rows():
            digits = len(printed.partition(".")[2])
            tool = None if found is None or compute is None else compute()
            shown = "" if tool is None else f"{tool:.{digits}f}"
            agree = f"{ours:.{digits}f}" == printed and shown in ("", printed)
            wrong += not agree
            print(f"  {what:<28} printed {printed:>9}  there {shown:>9}  ours "
                  f"{ours:>{10}.{digits}f}  {'' if agree else 'DIFFERS'}".rstrip())  # fmt: skip
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
