"""The answer to "at which back-off": the best one, what it saves, and every other beside it."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from semloss.errors import SemlossError, TargetNotAttainable
from semloss.layout import columns
from semloss.planning.amplifier.best import Gain, Place, Search, gain_over, interval_of, most
from semloss.planning.amplifier.measured import Measured
from semloss.planning.budget.budget import budget_of, chosen_cr
from semloss.planning.budget.question import Answered, Question
from semloss.planning.link.link import LinkData
from semloss.units import format_cr

#: Gives records for the best place and the limit.
Beside = Callable[[Place, float | None], Sequence[Mapping[str, Any]]]


@dataclass(frozen=True)
class OperatingAnswer(Answered):
    """The best back-off under a limit, and what it saves.

    The question's link is at saturation: its own back-off is what is asked for.

    Attributes
    ----------
    search
        All places, for the question's target or for the most that the link gives.
    best
        Where that takes least.
    gains
        Against linear codecs: backed off by rule, and at their own best under the same limit.
    snr_db
        Of the link, at saturation.
    modems
        What MODCODs lose through the same amplifier, as records.
    """

    search: Search
    best: Place
    gains: tuple[Gain, ...]
    snr_db: float
    modems: Sequence[Mapping[str, Any]] = ()

    @property
    def cr(self) -> float:
        """The one CR that it is about."""
        return self.search.cr

    def rows(self) -> list[dict[str, Any]]:
        """A row for each place, the best one first, then one for each MODCOD."""
        places = [self.best, *(one for family in self.search.measured for one in family)]
        rows = [self._row(place) | {"best": i == 0} for i, place in enumerate(places)]
        rows += [self._row(place) | {"best": False} for place in self.search.by_rule]
        return [*rows, *map(dict, self.modems)]

    def to_dict(self) -> dict[str, Any]:
        """The best place, what it saves, and every row."""
        asked = self.question
        return {
            "link": asked.link.name, **asked.about, "cr": self.cr, "cr_text": format_cr(self.cr),
            "target": asked.target, "value": self.best.value(self.cr, self.snr_db),
            "acpr_limit_dbc": self.search.limit_dbc, "snr_at_saturation_db": self.snr_db,
            "margin_db": self.margin_db, "margin_kept_db": asked.link.margin_db,
            "met": self.met, "in_domain": self.in_domain,
            "best": self._row(self.best),
            "gains": [
                {"over": _base(gain), "back_off_db": gain.over.back_off_db,
                 "gain_db": gain.value_db, "low_db": gain.low_db, "high_db": gain.high_db}
                for gain in self.gains
            ],
            "rows": self.rows(),
        }  # fmt: skip

    def _row(self, place: Place) -> dict[str, Any]:
        low, high = self.band(place)
        return {
            "codec": place.codec, "amplifier": place.amplifier, "back_off_db": place.back_off_db,
            "snr_needed_db": place.snr_db, "low_db": low, "high_db": high,
            "acpr_dbc": place.acpr_dbc, "value": place.value(self.cr, self.snr_db),
            "keeps_limit": None if place.nearest.at is None else self.search.keeps(place),
            "measured": len(place.parts) == 1,
        }  # fmt: skip

    def band(self, place: Place) -> tuple[float, float]:
        """Interval of what the target takes, where the draws tell it."""
        assert self.question.interval is not None
        return interval_of(place.needed_db, self.question.interval)

    @property
    def margin_db(self) -> float:
        """SNR of the link beyond what the target takes."""
        return self.snr_db - self.best.snr_db

    @property
    def met(self) -> bool | None:
        """Whether the target is met with the link's margin left."""
        if self.question.target is None:
            return None
        return self.margin_db >= self.question.link.margin_db

    @property
    def in_domain(self) -> bool:
        """Whether the best place was measured at what is asked of it."""
        return self.best.in_domain(self.cr, self.best.snr_db)

    @property
    def head(self) -> str:
        """The best back-off, the margin there, and what it saves."""
        asked, best, search = self.question, self.best, self.search
        low, high = self.band(best)
        told = not math.isnan(best.acpr_dbc)
        spread = f", {best.acpr_dbc:.1f} dBc beside the channel" if told else ""
        limit = "" if search.limit_dbc is None else f" of at most {search.limit_dbc:g}"
        lines = [
            f"input back-off {best.back_off_db:.2f} dB{self._between}: {best.codec}, "
            f"{best.amplifier}{spread}{limit}"
        ]
        level = f"   [{asked.level}: {low:.2f} … {high:.2f} dB]"
        if asked.target is None:
            value = best.value(self.cr, self.snr_db)
            lines.append(
                f"there {asked.metric} = {value:.4g} at CR {format_cr(self.cr)} and the link's SNR "
                f"at saturation, {self.snr_db:.2f} dB"
            )
        else:
            lines.append(
                f"{asked.demand} at CR {format_cr(self.cr)} takes SNR {best.snr_db:.2f} dB at "
                f"saturation{level}: {self.margin_db:.2f} dB of margin{asked.kept}, "
                f"{'met' if self.met else 'NOT MET'}"
            )
        lines += [_saved(gain) for gain in self.gains] or ["no linear codec is in the table"]
        inside = "inside" if self.in_domain else "OUTSIDE"
        return "\n".join([*lines, f"{inside} the fitted domain, {self.domain}"])

    @property
    def _between(self) -> str:
        return ", between measured ones" if len(self.best.parts) > 1 else ""

    @property
    def body(self) -> str:
        """Every place, then every modulation."""
        name = self.question.fit.metric
        head = ["codec", "amplifier", "back-off", "SNR needed", "neighbour", name, ""]
        lines = [columns(head, [self._cells(row) for row in self.rows() if "modcod" not in row])]
        if self.modems:
            heads = ["MODCOD", "threshold", "back-off", "SNR needed", "neighbour", "loses"]
            told = [
                [str(one["modcod"]), f"{one['threshold_db']:.2f} dB",
                 f"{one['back_off_db']:.2f} dB", f"{one['snr_needed_db']:.2f} dB",
                 f"{one['acpr_dbc']:.1f} dBc", f"{one['loss_db']:.2f} dB"]
                for one in self._ends()
            ]  # fmt: skip
            lines += ["", "through the same amplifier, each at its own best back-off",
                      columns(heads, told)]  # fmt: skip
        return "\n".join(lines)

    def _ends(self) -> list[Mapping[str, Any]]:
        """The first and the last MODCOD of each modulation."""
        found: dict[str, list[Mapping[str, Any]]] = {}
        for one in self.modems:
            found.setdefault(str(one["modcod"]).split()[0], []).append(one)
        return [some[at] for some in found.values() for at in sorted({0, len(some) - 1})]

    def _cells(self, row: Mapping[str, Any]) -> list[str]:
        def told(key: str, unit: str, form: str = ".2f") -> str:
            return "–" if math.isnan(row[key]) else f"{row[key]:{form}} {unit}".strip()

        mark = "best" if row["best"] else "" if row["keeps_limit"] in (None, True) else "over limit"
        return [
            row["codec"], row["amplifier"], told("back_off_db", "dB"), told("snr_needed_db", "dB"),
            told("acpr_dbc", "dBc", ".1f"), told("value", "", ".4g"), mark,
        ]  # fmt: skip

    @property
    def assumed(self) -> dict[str, str]:
        """What it rests on."""
        given = self.question.link.eirp_dbw is not None
        return super().assumed | {
            "back-off": "what is asked for; SNR is that at saturation"
            + (", to which eirp_dbw is taken to belong" if given else ""),
            "intervals": "from draws of all surfaces as if each were measured on images of its own",
            "between back-offs": "straight",
        }

    @property
    def warnings(self) -> Sequence[str]:
        """Of the question, and of targets that the lowest SNR meets."""
        edges = [one for one in (self.best, *(gain.over for gain in self.gains)) if one.at_edge()]
        return [
            *super().warnings,
            *(
                f"{one.codec} {one.amplifier} meets it at the lowest SNR that was measured, and "
                "less might do: what is saved is known in part only"
                for one in edges
            ),
        ]


def _base(gain: Gain) -> str:
    return f"{gain.over.codec} {gain.over.amplifier}"


def _saved(gain: Gain) -> str:
    """What is saved against a linear codec, in words."""
    if math.isnan(gain.value_db):
        return f"{_base(gain)} does not reach it at any back-off that is allowed"
    span = f"   [{gain.low_db:+.2f} … {gain.high_db:+.2f} dB]"
    by_rule = gain.over.nearest.at is None
    at = "backed off by its peaks" if by_rule else "at its own best"
    where = gain.over.codec if by_rule else _base(gain)
    return f"{gain.value_db:+.2f} dB against {where}, {at}: {gain.over.back_off_db:.2f} dB{span}"


def at_saturation(link: LinkData) -> LinkData:
    """The link with its amplifier at saturation, where the SNR of such tables is."""
    if link.eirp_dbw is not None:
        return link
    saturation = link.power_dbw if link.pa_saturation_dbw is None else link.pa_saturation_dbw
    return link.replace(power_dbw=saturation, obo_db=0.0)


def operating_answer(
    link: LinkData,
    points: Sequence[Measured],
    *,
    target: float | None = None,
    limit_dbc: float | None = None,
    interval: float = 0.95,
    beside: Beside | None = None,
) -> OperatingAnswer:
    """Find the best back-off of a table for a link.

    Parameters
    ----------
    link
        The link; its back-off is not used, and its CR is that which is asked about.
    points
        What `measured_points` found.
    target
        Value to meet with least power; without one, the most that the link gives at saturation.
    limit_dbc
        Most power in a neighbouring channel.
    interval
        Level of the bands.
    beside
        Gives what stands beside the best place under the limit: records of MODCODs, as
        `semloss.codecs.modems.modem_losses` computes them.

    Raises
    ------
    SemlossError
        When the link tells no CR or bandwidth.
    TargetNotAttainable
        When no back-off keeps the limit, or reaches the target under it.
    """
    if not 0 < interval < 1:
        raise SemlossError(f"interval = {interval:g}: give a level in (0, 1), e.g. 0.95")
    papr_db, link = link.papr_db, at_saturation(link)
    cr, snr_db = chosen_cr(link), float(budget_of(link).snr_db)
    if math.isnan(snr_db):
        raise SemlossError("bandwidth_mhz is missing: the SNR depends on it")
    sign = points[0].fit.sign
    goal = most(points, limit_dbc, cr, snr_db, sign) if target is None else target
    search = Search(points, cr, goal, sign, limit_dbc, papr_db or None)
    best = search.best()
    question = Question(best.nearest.fit, link.replace(papr_db=None), target, None, interval)
    gains = tuple(gain_over(best, other, interval) for other in _linear(search, best))
    modems = [] if beside is None else beside(best, limit_dbc)
    return OperatingAnswer(question, search, best, gains, snr_db, modems)


def _linear(search: Search, best: Place) -> Iterator[Place]:
    """Linear codecs: that with the highest peaks backed off by them, and the best one measured."""
    if search.by_rule:
        yield max(search.by_rule, key=lambda place: place.back_off_db)
    if any(one.linear for one in search.points):
        try:
            own = search.best(linear=True)
        except TargetNotAttainable:
            some = next(family[0] for family in search.measured if family[0].nearest.linear)
            own = replace(some, needed_db=np.full(1, np.nan))
        if own.nearest is not best.nearest:
            yield own
