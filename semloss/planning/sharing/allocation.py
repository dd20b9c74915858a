r"""Bandwidth and power shared among ground users that run different tasks.

Formulation (ours; the problems are those of the max-min extension of arXiv 2602.00136 and of
arXiv 2603.12027, whose equations are not reproduced). A transmitter of total power P [W] and
bandwidth B [Hz], cut into sub-bands of w = B/subbands, serves users u. With b_u sub-bands and
p_u watts a user sends

.. math::
    R_u = \min\Big(\frac{b_u w}{1 + \alpha},\ CR_{max} n_u f_u\Big) \text{ symbols/s}, \quad
    CR_u = \frac{R_u}{n_u f_u}, \quad
    SNR_u(s) = \frac{p_u\, g_u\, 10^{o_u(s)/10}}{R_u}

with roll-off alpha, n_u samples an image, f_u images/s (over the share of the symbols that carry
image), g_u the C/N0 that 1 W brings [Hz/W] and
o_u(s) the offset [dB] of channel state s: more bandwidth is a larger CR and more noise. Symbols
beyond the largest fitted CR are not sent. The metric M_u(s) is that of the user's own fit; CRs
below the fitted ones are not used, an SNR above the fitted ones counts as the highest of them,
one below follows the form's tail (flagged as outside the domain).

A user's performance M_u is its metric in the worst state ("worst"), in the worst state after bad
ones of together at most `outage_probability` are left out ("outage"), or on average ("expected").
Its score puts tasks on one scale, 0 at the floor of the metric, 1 at its ceiling, whichever way
it improves: S_u = (M_u - floor)/(ceiling - floor). With weights W_u,

* objective "performance": maximise min_u W_u·S_u; a weight below 1 asks for *more*;
* objective "loss": maximise min_u 1 - W_u·(1 - S_u), that is minimise the greatest weighted
  semantic loss; a weight above 1 asks for more.

Method: bisection on the level t. For a level, the least power p_u(b) of each user for every
number of sub-bands is the root of a monotone function; a dynamic programme over the sub-bands
finds the least total. Both are exact on the grid of sub-bands, so the level is the optimum to
the bisection's width, and `bound`, the lowest level shown to need more power, an upper bound.
Where somebody's surface ends before the pool does, that user rests and the others go on alike.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from semloss.answers import Answer, laid_out
from semloss.arrays import Array
from semloss.errors import SemlossError, TargetNotAttainable
from semloss.layout import columns
from semloss.planning.budget.assumed import assumed
from semloss.planning.sharing.demand import TAIL_DB, Demand
from semloss.planning.sharing.users import Pool, User
from semloss.units import format_cr

_LEVEL_STEPS = 34


@dataclass(frozen=True)
class Share:
    """What a user gets and reaches.

    `performance` is its metric by the pool's criterion; `score` and `weighted` are nan where
    `least_power` was asked of a metric without scale. `snr_db`, `low` … `high` (95 % band) and
    `in_domain` are those of its worst counted state.
    """

    name: str
    metric: str
    subbands: int
    bandwidth_hz: float
    symbol_rate_hz: float
    cr: float
    power_w: float
    power_dbw: float
    snr_db: float
    performance: float
    low: float
    high: float
    score: float
    weighted: float
    in_domain: bool


@dataclass(frozen=True)
class Allocation(Answer):
    """A division of the pool.

    `level` is the smallest weighted performance that is reached and `bound` an upper bound on
    it (nan for the least power); `binding` names the user who takes the most power.
    """

    problem: str
    level: float
    bound: float
    total_power_w: float
    power_limit_w: float
    subbands_used: int
    subbands: int
    binding: str
    shares: tuple[Share, ...]
    notes: tuple[str, ...] = ()
    basis: Mapping[str, str] = field(default_factory=dict)
    other: str = ""

    @property
    def other_images(self) -> str:
        """In what a user's images are not those of its fit."""
        return self.other

    @property
    def assumed(self) -> dict[str, str]:
        """The users' fits, and by which state and scale they are judged."""
        return dict(self.basis)

    def rows(self) -> list[dict[str, Any]]:
        """One record for each user."""
        return [asdict(share) for share in self.shares]

    def to_dict(self) -> dict[str, Any]:
        """Totals, and the shares."""
        told = asdict(self) | {"shares": self.rows()}
        del told["basis"], told["other"]
        return told

    @property
    def in_domain(self) -> bool:
        """Whether every user's fit was measured where it is used."""
        return all(share.in_domain for share in self.shares)

    def text(self) -> str:
        """The totals, what was assumed, and a line for each user."""
        limit = "" if math.isinf(self.power_limit_w) else f" of {self.power_limit_w:.4g}"
        head = (
            f"in all {self.total_power_w:.4g}{limit} W and {self.subbands_used} of "
            f"{self.subbands} sub-bands; {self.binding} takes the most power"
        )
        if not math.isnan(self.level):
            head = (
                f"smallest weighted performance {self.level:.6g}, which nothing on this grid "
                f"of sub-bands raises beyond {self.bound:.6g}\n{head}"
            )
        rows = [
            (s.name, f"{s.subbands}", format_cr(s.cr), f"{s.power_w:.4g}", f"{s.snr_db:.2f}",
             f"{s.performance:.4g}", f"{s.low:.4g} … {s.high:.4g}",
             "–" if math.isnan(s.score) else f"{s.score:.4f}", s.metric,
             "inside" if s.in_domain else "OUTSIDE")
            for s in self.shares
        ]  # fmt: skip
        names = ("user", "sub-bands", "CR", "power W", "SNR dB", "performance", "95 %", "score",
                 "metric", "fitted domain")  # fmt: skip
        return laid_out(head, self.assumed, columns(names, rows))


def maximise_minimum(users: Sequence[User], pool: Pool) -> Allocation:
    """Share bandwidth and power so that the smallest weighted performance is greatest.

    Raises
    ------
    SemlossError
        When there is no user, a name is given twice, a metric has no scale or power no limit.
    TargetNotAttainable
        When the sub-bands do not carry everyone's images even at the smallest fitted CR.
    """
    if math.isinf(pool.total_power_w):
        raise SemlossError("pool.total_power_w: sharing power needs its limit")
    scales = [_Scale(user, pool) for user in users]
    demands = _demands(users, pool)
    tops = np.array([s.level(float(d.best.max())) for s, d in zip(scales, demands, strict=True)])
    asked = np.full(len(users), min(
        s.level(float(d.least.min())) for s, d in zip(scales, demands, strict=True)
    ))  # fmt: skip
    kept = _tables(scales, demands, asked)
    if _least_total(kept, pool.subbands) > pool.total_power_w:
        raise TargetNotAttainable(
            f"{pool.total_power_w:g} W leave everyone more than {TAIL_DB:g} dB below the fitted "
            f"SNRs, most of all user {demands[_greediest(kept)].user.name}; check its "
            "c_n0_dbhz_at_1w or raise total_power_w"
        )
    first: tuple[float, float] | None = None
    rising = np.ones(len(users), dtype=bool)
    while rising.any():
        low, high = float(asked[rising].max()), float(tops[rising].min())
        trial = high
        for _ in range(_LEVEL_STEPS):
            levels = np.where(rising, trial, asked)
            tables = _tables(scales, demands, levels)
            if _least_total(tables, pool.subbands) <= pool.total_power_w:
                low, asked, kept = trial, levels, tables
            else:
                high = trial
            if low == high:
                break
            trial = 0.5 * (low + high)
        first = first or (low, high)
        if low < high:
            break
        rising &= tops > high  # who can do no better rests; what is left goes to the others
    level, bound = first or (math.nan, math.nan)
    return _allocation("max-min", level, bound, demands, kept)


def least_power(users: Sequence[User], pool: Pool) -> Allocation:
    """Share bandwidth so that everyone meets its target with the least total power.

    Raises
    ------
    SemlossError
        When there is no user, a name is given twice or a user has no target.
    TargetNotAttainable
        When a target is out of a surface's reach, the sub-bands do not suffice, or the total
        exceeds the limit: names the user that binds and what it could have.
    """
    demands = _demands(users, pool)
    goals = []
    for demand in demands:
        user, target = demand.user, demand.user.target
        if target is None or not math.isfinite(target):
            raise user.complaint("the least power needs a target of everyone")
        goals.append(demand.sign * target)
        if goals[-1] > demand.best.max() + 1e-12 * max(abs(target), 1.0):
            raise TargetNotAttainable(
                f"user {user.name}: {user.fit.metric} = {target:g} is not attainable with all "
                f"{pool.subbands} sub-bands and any power; nearest is "
                f"{demand.sign * demand.best.max():.4g}"
            )
    tables = [d.powers_w(goal) for d, goal in zip(demands, goals, strict=True)]
    total = _least_total(tables, pool.subbands)
    if total > pool.total_power_w or math.isinf(total):
        raise TargetNotAttainable(_shortfall(demands, goals, tables, pool))
    return _allocation("least power", math.nan, math.nan, demands, tables)


def _tables(scales: Sequence["_Scale"], demands: Sequence[Demand], levels: Array) -> list[Array]:
    """Least power [W] of each user for its weighted level, by sub-bands."""
    return [
        demand.powers_w(scale.goodness(float(level)))
        for scale, demand, level in zip(scales, demands, levels, strict=True)
    ]


class _Scale:
    """Weighted performance of a user from its goodness, and back."""

    def __init__(self, user: User, pool: Pool) -> None:
        floor, ceiling = user.scale
        sign = user.fit.sign
        self._floor, self._span = sign * floor, sign * (ceiling - floor)
        self._weight, self._loss = user.weight, pool.objective == "loss"

    def score(self, goodness: float) -> float:
        return (goodness - self._floor) / self._span

    def level(self, goodness: float) -> float:
        score = self.score(goodness)
        return 1 - self._weight * (1 - score) if self._loss else self._weight * score

    def goodness(self, level: float) -> float:
        score = 1 - (1 - level) / self._weight if self._loss else level / self._weight
        return self._floor + score * self._span


def _demands(users: Sequence[User], pool: Pool) -> list[Demand]:
    """Demands of the users, when the sub-bands carry all their images at the smallest CR."""
    if not users:
        raise SemlossError("no user: give each user a table [[user]]")
    names = [user.name for user in users]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise SemlossError(f"user {twice[0]}: the name is given twice")
    demands = [Demand(user, pool) for user in users]
    needed = [demand.subbands_needed for demand in demands]
    if sum(needed) > pool.subbands:
        most = int(np.argmax(needed))
        raise TargetNotAttainable(
            f"{pool.subbands} sub-bands do not carry everyone's images at the smallest fitted CR: "
            f"that takes {sum(needed)}, of which user {names[most]} {needed[most]}; send fewer "
            "images_per_s or raise bandwidth_mhz"
        )
    return demands


def _sums(tables: Sequence[Array], subbands: int) -> list[Array]:
    """Least total power of the first u users with exactly j sub-bands: (subbands + 1,) for each u.

    The dynamic programme; a table holds a user's power [W] for 0 … subbands sub-bands.
    """
    start = np.full(subbands + 1, np.inf)
    start[0] = 0.0
    sums = [start]
    for table in tables:
        total = np.full(subbands + 1, np.inf)
        for count in np.flatnonzero(np.isfinite(table)):
            through = sums[-1][: subbands + 1 - count] + table[count]
            np.minimum(total[count:], through, out=total[count:])
        sums.append(total)
    return sums


def _least_total(tables: Sequence[Array], subbands: int) -> float:
    """Least total power [W]; inf where the sub-bands do not suffice."""
    return float(_sums(tables, subbands)[-1].min())


def _deal(tables: Sequence[Array], subbands: int) -> list[int]:
    """Sub-bands of each user for the least total power; the fewest of equals."""
    sums = _sums(tables, subbands)
    left = int(np.argmin(sums[-1]))
    dealt = []
    for table, before in zip(tables[::-1], sums[-2::-1], strict=True):
        through = before[left::-1] + table[: left + 1]
        dealt.append(int(np.argmin(through)))
        left -= dealt[-1]
    return dealt[::-1]


def _greediest(tables: Sequence[Array]) -> int:
    """Which user takes the most power at best; of users that cannot be served, the first."""
    return int(np.argmax([table.min() for table in tables]))


def _shortfall(demands: list[Demand], goals: list[float], tables: list[Array], pool: Pool) -> str:
    """Say why the targets do not fit the pool, who binds, and what that user could have."""
    total = _least_total(tables, pool.subbands)
    if math.isinf(total):
        least = [int(np.flatnonzero(np.isfinite(table))[0]) for table in tables]
        who = int(np.argmax(least))
        why = f"{sum(least)} sub-bands at least, of {pool.subbands}"
    else:
        dealt = _deal(tables, pool.subbands)
        who = int(np.argmax([table[count] for table, count in zip(tables, dealt, strict=True)]))
        why = f"{total:.4g} W at least, of {pool.total_power_w:.4g} W"
    demand, name = demands[who], demands[who].user.name
    fit, others = demand.fit, tables[:who] + tables[who + 1 :]

    def fits(goal: float) -> bool:
        spent = _least_total([*others, demand.powers_w(goal)], pool.subbands)
        return math.isfinite(spent) and spent <= pool.total_power_w

    said = f"the targets take {why}; user {name} binds"
    low, high = float(demand.least.min()), goals[who]
    if not fits(low):
        return f"{said}, and the others do not fit without it either; relax several targets"
    for _ in range(_LEVEL_STEPS):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if fits(middle) else (low, middle)
    return (
        f"{said}: with the others at their targets it attains {fit.metric} = "
        f"{demand.sign * low:.4g} at most, not {demand.sign * goals[who]:g}".replace(
            "at most", "at most" if demand.sign > 0 else "at least"
        )
    )


def _allocation(
    problem: str, level: float, bound: float, demands: list[Demand], tables: list[Array]
) -> Allocation:
    pool = demands[0].pool
    dealt = _deal(tables, pool.subbands)
    shares = []
    for demand, table, count in zip(demands, tables, dealt, strict=True):
        user, fit = demand.user, demand.fit
        i = int(np.flatnonzero(demand.counts == count)[0])
        power_dbw = 10 * math.log10(table[count])
        reached = float(demand.goodness(np.array([power_dbw]), np.array([i]))[0])
        snr_db, cr = demand.worst_snr_db(power_dbw, i), float(demand.cr[i])
        point = fit.predict(cr=cr, snr_db=min(snr_db, fit.snr_db_range[1]), interval=0.95)
        score = weighted = math.nan
        if problem == "max-min" or None not in (user.fit.floor, user.fit.ceiling):
            scale = _Scale(user, pool)
            score, weighted = scale.score(reached), scale.level(reached)
        share = Share(
            user.name, fit.metric, count, count * pool.bandwidth_hz / pool.subbands,
            float(demand.rate_hz[i]), cr, float(table[count]), power_dbw,
            snr_db + demand.user.margin_db,
            demand.sign * reached, point.low, point.high, score, weighted, point.in_domain,
        )  # fmt: skip
        shares.append(share)
    most = max(shares, key=lambda share: share.power_w)
    notes = tuple(f"user {d.user.name}: {note}" for d in demands for note in d.user.notes)
    users = [d.user for d in demands]
    basis = {
        "fit": "; ".join(dict.fromkeys(assumed(None, user.fit)["fit"] for user in users)),
        "objective": pool.objective, "judged by": f"the {pool.criterion} state",
        "margin": ", ".join(f"{user.name} {user.margin_db:g} dB" for user in users) + " kept",
    }  # fmt: skip
    return Allocation(
        problem, level, bound, sum(s.power_w for s in shares), pool.total_power_w,
        sum(dealt), pool.subbands, most.name, tuple(shares), notes,
        basis, next((f"user {u.name}: {u.other_images}" for u in users if u.other_images), ""),
    )  # fmt: skip
