"""Links, curves and elements that the tests of `semloss plan` ask about."""

import csv
from pathlib import Path

#: Rows of the published ledgers, as domain specialists print them.
DICE = """
name = "DICE"
[transmitter]
power_dbw = 0.0
tx_gain_dbi = -3.5
tx_line_loss_db = 0.5
[path]
freq_ghz = "465 MHz"
range_km = 1944
[atmosphere]
other_loss_db = 1.5
[receiver]
g_over_t_db_k = 9.03
[signal]
bit_rate_mbps = 1.5
required_eb_n0_db = 11.6
"""
EO = """
name = "X-band EO"
[transmitter]
power_dbw = "7 dBW"
tx_gain_dbi = 6
tx_line_loss_db = 1.5
[path]
freq_ghz = 8.2
height_km = 500
elevation_deg = 10
[atmosphere]
other_loss_db = 3.0
[receiver]
rx_dish_m = 3.0
rx_efficiency = 0.6
t_ant_k = 60
noise_figure_db = 1.5
[signal]
bit_rate_mbps = 50
required_eb_n0_db = 2.3
implementation_loss_db = 1.5
"""
PUBLISHED = {
    "dice.toml": {"eirp_dbw": "-4.00", "fspl_db": "151.57", "g_over_t_db_k": "9.03",
                  "c_n0_dbhz": "80.56", "eb_n0_db": "18.80", "digital_margin_db": "7.20"},
    "eo.toml": {"range_km": "1694.6", "eirp_dbw": "11.50", "fspl_db": "175.31",
                "rx_gain_dbi": "46.01", "t_sys_k": "179.6", "g_over_t_db_k": "23.46",
                "c_n0_dbhz": "85.26", "eb_n0_db": "8.27", "digital_margin_db": "4.47"},
}  # fmt: skip
WEAK = (Path(__file__).parent / "data" / "weak_link.toml").read_text(encoding="utf-8")
CURVE = "bits_per_pixel,metric,task,codec,value\n" + "".join(
    f"{rate},accuracy,clean,{codec},{value}\n"
    for codec, worse in (("jp2", 0.0), ("jpeg", 0.05))
    for rate, value in ((0.05, 0.3), (0.2, 0.6), (0.6, 0.75), (1.5, 0.86), (3.0, 0.89))
    for value in (value - worse,)
)
#: What `semloss sure --csv` writes of layers that stop: fewer symbols at a higher SNR.
SURE = "snr_db,target,accuracy,accuracy_se,cr,cr_se,layers,layers_most\n" + "".join(
    f"{snr_db},{accuracy},{accuracy},0.01,{cr * 2 ** (-snr_db / 6):.6f},0.001,{layers},8\n"
    for snr_db in (-12, -6, 0, 6, 12, 18)
    for accuracy, cr, layers in ((0.5, 0.01, 2), (0.75, 0.02, 3), (0.88, 0.05, 5))
)
#: The same of layers that take the smallest CR of a codec at every SNR.
EVEN = SURE.splitlines()[0] + "".join(
    f"\n{snr_db},{accuracy},{accuracy},0.01,{1 / 48},0.0001,3,8"
    for snr_db in (-12, 18) for accuracy in (0.5, 0.75, 0.88)
)  # fmt: skip
EPOCH = ("--start", "2014-01-21T00:00")
TLE = """ISS (ZARYA)
1 25544U 98067A   14020.93268519  .00009878  00000-0  18200-3 0  5082
2 25544  51.6498 109.4756 0003572  55.9686 274.8005 15.49815350868473
"""
#: What an engineer may type beside a fit and a link.
WEAK_LINK = ("--link", "weak.toml", "--set", "elevation_deg=20")
X = ("--link", "eo-leo-x-band")
T = ("--target", "0.5")
HIGH = ("--max-elevation", "40")
WEAKER = ("--link", "weak.toml", "--set", "power_dbw=-40")


def rows(path):
    """Records of a CSV, without the comments at its head."""
    with path.open() as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


def refused(answer, says):
    """Assert that an answer (exit code, stdout, stderr) is one clear line and exit code 2."""
    code, out, err = answer
    assert code == 2
    assert says in err
    assert err.startswith("semloss: ")
    assert err.count("\n") == 1
    assert out == ""
