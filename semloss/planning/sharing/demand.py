"""What a user of a shared link demands: the least power for a performance, by sub-bands."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from semloss.arrays import Array
from semloss.planning.budget.inverse import values
from semloss.planning.sharing.users import Pool, User

TAIL_DB = 90.0
"""How far below the fitted SNRs a form's tail is followed."""
_ROOT_STEPS = 100
_TOLERANCE_DB = 1e-10


class Demand:
    """A user's side of the sharing problem; formulas: `semloss.planning.sharing.allocation`.

    Goodness is the metric where higher is better and its negative otherwise, so that more is
    always better here. Arrays (K,) run over `counts`, the numbers of sub-bands that are useful:
    enough for the smallest fitted CR, and not more than the largest one takes.

    Attributes
    ----------
    user, pool
        Whose demand, and of what.
    counts, rate_hz, cr
        (K,) numbers of sub-bands, symbols each second and CR.
    low_dbw, high_dbw, least, best
        (K,) powers [dBW] that frame every answer, and the goodness there; more power than
        `high_dbw` leaves the fitted SNRs in every state and counts for nothing.
    """

    def __init__(self, user: User, pool: Pool) -> None:
        self.user, self.pool, self.fit = user, pool, user.fit
        self.sign = self.fit.sign
        self.offsets, self._share = _counted_states(user, pool)
        cr_low, cr_high = self.fit.cr_range
        per_cr = user.symbols_per_s
        counts = np.arange(1, pool.subbands + 1)
        raw = counts * (pool.bandwidth_hz / pool.subbands) / (1 + pool.roll_off)
        enough = np.searchsorted(raw, cr_high * per_cr * (1 - 1e-9))
        useful = (raw >= cr_low * per_cr * (1 - 1e-9)) & (counts <= enough + 1)
        self.counts: NDArray[np.int64] = counts[useful]
        self.rate_hz = np.minimum(raw[useful], cr_high * per_cr)
        self.cr = np.clip(self.rate_hz / per_cr, cr_low, cr_high)
        self._snr_at_1w = user.c_n0_dbhz_at_1w - user.margin_db - 10 * np.log10(self.rate_hz)
        snr_low, snr_high = self.fit.snr_db_range
        self.low_dbw = snr_low - TAIL_DB - self._snr_at_1w - self.offsets.max()
        self.high_dbw = snr_high - self._snr_at_1w - self.offsets.min()
        self.least = self.goodness(self.low_dbw)
        self.best = self.goodness(self.high_dbw)
        self._solved: list[tuple[float, Array]] = []

    @property
    def subbands_needed(self) -> int:
        """Fewest sub-bands that carry the images at the smallest fitted CR."""
        cr_low = self.fit.cr_range[0]
        symbols_per_s = cr_low * self.user.symbols_per_s
        width_hz = self.pool.bandwidth_hz / self.pool.subbands
        return int(np.ceil(symbols_per_s * (1 + self.pool.roll_off) / width_hz * (1 - 1e-9)))

    def goodness(self, power_dbw: Array, which: NDArray[np.int64] | None = None) -> Array:
        """Goodness by the pool's criterion with powers [dBW], for all counts or `which` of them."""
        chosen = slice(None) if which is None else which
        snr = (power_dbw + self._snr_at_1w[chosen])[:, None] + self.offsets
        snr = np.minimum(snr, self.fit.snr_db_range[1])
        return self.sign * (values(self.fit, self.cr[chosen][:, None], snr) @ self._share)

    def worst_snr_db(self, power_dbw: float, which: int) -> float:
        """SNR [dB] in the worst counted state, the margin that is kept taken off."""
        return float(power_dbw + self._snr_at_1w[which] + self.offsets.min())

    def powers_w(self, goal: float) -> Array:
        """Least power [W] that brings a goodness, for 0 … subbands sub-bands; inf where none."""
        slack = 1e-12 * max(abs(goal), 1.0)
        dbw = np.where(self.least >= goal, self.low_dbw, np.inf)
        which = np.flatnonzero((self.least < goal) & (self.best >= goal - slack))
        if which.size:
            low, high, f_low, f_high = (part[which] for part in self._bracket(goal))
            dbw[which] = _roots(
                lambda x, part: self.goodness(x, which[part]) - goal,
                low, high, f_low - goal, f_high - goal,
            )  # fmt: skip
        self._solved.append((goal, dbw))
        table = np.full(self.pool.subbands + 1, np.inf)
        table[self.counts] = 10 ** (dbw / 10)
        return table

    def _bracket(self, goal: float) -> tuple[Array, Array, Array, Array]:
        """Powers that frame the roots, and goodness there: the answers given before help."""
        low, high = self.low_dbw.copy(), self.high_dbw.copy()
        f_low, f_high = self.least.copy(), self.best.copy()
        for other, dbw in self._solved:
            solved = np.isfinite(dbw) & (self.least < other)
            if other <= goal:
                closer = solved & (dbw > low)
                low[closer], f_low[closer] = dbw[closer], other
            else:
                closer = solved & (dbw < high)
                high[closer], f_high[closer] = dbw[closer], other
        return low, high, f_low, f_high


def _counted_states(user: User, pool: Pool) -> tuple[Array, Array]:
    """Offsets [dB] (S,) of the states that count, and their shares (S,)."""
    offsets = np.asarray(user.offsets_db, dtype=np.float64)
    share = np.asarray(user.probabilities, dtype=np.float64)
    order = np.argsort(offsets, kind="stable")
    offsets, share = offsets[order], share[order] / share.sum()
    possible = share > 0
    offsets, share = offsets[possible], share[possible]
    if pool.criterion == "expected":
        return offsets, share
    dropped = 0.0 if pool.criterion == "worst" else pool.outage_probability
    # The worst state that may not be left out: the first whose own share goes beyond.
    first = int(np.argmax(np.cumsum(share) > dropped + 1e-12))
    return offsets[first : first + 1], np.ones(1)


def _roots(
    f: Callable[[Array, NDArray[np.int64]], Array], low: Array, high: Array, f_low: Array,
    f_high: Array,
) -> Array:  # fmt: skip
    """Zeros of rising functions, framed by `low` and `high`: Illinois steps, some halvings.

    Source: M. Dowell and P. Jarratt, BIT 11, 1971. `f(x, which)` evaluates the functions
    numbered `which`. The answer is a point at or above zero, to 1e-10 dB or to round-off.
    """
    low, high, f_low, f_high = low.copy(), high.copy(), f_low.copy(), np.maximum(f_high, 0.0)
    scale = np.maximum(f_high - f_low, 1e-300)
    last = np.zeros(low.shape)
    left = np.arange(low.size)
    for step in range(_ROOT_STEPS):
        a, b, fa, fb = low[left], high[left], f_low[left], f_high[left]
        halving = (fb <= fa) | (step % 4 == 3)
        x = np.where(halving, 0.5 * (a + b), b - fb * (b - a) / np.where(halving, 1.0, fb - fa))
        y = f(x, left)
        up = y >= 0
        high[left], f_high[left] = np.where(up, x, b), np.where(up, y, fb)
        low[left], f_low[left] = np.where(up, a, x), np.where(up, fa, y)
        again = np.where(up, 1.0, -1.0) == last[left]  # the same end moved twice: halve the other
        f_low[left] = np.where(again & up, 0.5 * f_low[left], f_low[left])
        f_high[left] = np.where(again & ~up, 0.5 * f_high[left], f_high[left])
        last[left] = np.where(up, 1.0, -1.0)
        exact = up & (y <= 1e-15 * scale[left])
        left = left[(high[left] - low[left] > _TOLERANCE_DB) & ~exact]
        if not left.size:
            break
    return high
