"""A ten-minute pass with rain and fading, at once against moment by moment.

Both answer the same: SNR with P.618 rain, mean metric over Rician fades with its band, margin and
images at 1 s steps, from the same link, fit and pass. The loop is what one writes first: one
budget and one prediction a second. Printed are the medians and the ratio, taken in turns.
"""

import statistics
import time

import numpy as np

from semloss.planning.passes.orbit import Pass, circular_pass
from semloss.planning.passes.outage import outage
from semloss.planning.passes.simulation import simulate_pass
from semloss.planning.planner import Link
from semloss.planning.propagation.fading import Rician
from semloss.selection import Points
from semloss.surfaces.fitting.fit_surface import fit_surface

ROUNDS = 7
TARGET = 0.6
FADING = Rician(10.0)
LINK = Link(
    freq_ghz=26.0, power_dbw=-6.0, tx_gain_dbi=30.0, tx_line_loss_db=1.5, other_loss_db=3.0,
    height_km=600.0, elevation_deg=10.0, rx_dish_m=3.0, t_ant_k=60.0, noise_figure_db=1.5,
    bandwidth_mhz=60.0, cr=1 / 12, r001_mm_h=35.0, availability_percent=99.0,
    station_lat_deg=48.0, rain_warms_sky=True,
)  # fmt: skip


def a_fit():
    """Accuracy over six CRs and eleven SNRs, a logistic in both."""
    ratios, levels = np.array([1 / 40, 1 / 20, 1 / 16, 1 / 12, 1 / 8, 1 / 4]), np.arange(-8, 13, 2)
    cr, snr_db = (a.ravel() for a in np.meshgrid(ratios, levels, indexing="ij"))
    value = 0.1 + 0.8 / (1 + np.exp(-(snr_db + 4 + 3 * np.log(12 * cr)) / 3))
    about = {"metric": "accuracy", "receiver": "clean", "direction": "higher", "floor": 0.1}
    return fit_surface(Points(cr=cr, snr_db=snr_db, value=value, se=0 * cr + 0.01, **about))


def moments(model, flown):
    """Images of the pass, one moment at a time."""
    met = []
    for i in range(len(flown.time_s)):
        pair = slice(i, i + 1)
        alone = Pass(np.zeros(1), flown.elevation_deg[pair], flown.range_km[pair])
        found = simulate_pass(LINK, model, alone, target=TARGET, fading=FADING)
        met.append(found.met_share[0] * found.images_per_s)
    rate = np.array(met)
    return float(np.sum(np.minimum(rate[1:], rate[:-1]) * np.diff(flown.time_s)))


def at_once(model, flown):
    """Images of the pass, all moments together."""
    return simulate_pass(LINK, model, flown, target=TARGET, fading=FADING).images_delivered


def main():
    model, flown = a_fit(), circular_pass(600, 80, 5)
    assert abs(moments(model, flown) / at_once(model, flown) - 1) < 1e-9
    pairs = []
    for _ in range(ROUNDS):
        pair = []
        for way in (at_once, moments):
            started = time.process_time()
            way(model, flown)
            pair.append(time.process_time() - started)
        pairs.append(pair)
    started = time.process_time()
    outage(LINK, model, target=TARGET, fading=FADING, pass_=flown)
    statistics_s = time.process_time() - started
    quick, slow = (statistics.median(times) for times in zip(*pairs, strict=True))
    print(f"a pass of {flown.duration_s:.0f} s at 1 s steps with P.618 rain and Rician fading")
    print(f"at once:           {1e3 * quick:.1f} ms CPU (median of {ROUNDS})")
    print(f"moment by moment:  {1e3 * slow:.0f} ms CPU")
    print(f"ratio:             {statistics.median(b / a for a, b in pairs):.0f}")
    print(f"outage statistics over the pass: {1e3 * statistics_s:.0f} ms CPU")


if __name__ == "__main__":
    main()
