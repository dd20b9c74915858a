"""What one link is better by than another: cell by cell, and on average."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from semloss.answers import Answer, laid_out
from semloss.comparing.paired import Discordant, Interval
from semloss.facts import Directed
from semloss.layout import columns, digits
from semloss.units import format_cr

_KINDS = ("paired", "unpaired")


@dataclass(frozen=True)
class Difference:
    """Two values of a metric, and what is known of their difference.

    Attributes
    ----------
    base, other
        The values.
    paired, unpaired
        Intervals of `other` less `base`: of the differences image by image, and as if each were
        measured on images of its own. NaN where nothing tells them.
    images
        Images that both were measured on; 0 where no outcomes of single images tell it.
    cells
        Cells that the values are means over.
    discordant
        Images that only one gets right; None where the outcomes are no single answers.
    cr, snr_db
        Where it is, None for a mean over cells.
    """

    base: float
    other: float
    paired: Interval
    unpaired: Interval
    images: int
    cells: int = 1
    discordant: Discordant | None = None
    cr: float | None = None
    snr_db: float | None = None

    @property
    def difference(self) -> float:
        """The other's value less the base's."""
        return self.other - self.base

    @property
    def interval(self) -> Interval:
        """The paired interval where there is one, else the unpaired."""
        return self.unpaired if math.isnan(self.paired.low) else self.paired

    @property
    def side(self) -> int:
        """Which side of 0 the whole interval lies on, 1 or -1; 0 where it holds 0 or is unknown."""
        return int(self.interval.low > 0) - int(self.interval.high < 0)

    def record(self) -> dict[str, Any]:
        """Plain content; unknown is None."""
        only = self.discordant
        ends = {
            f"{name}_{end}": None if math.isnan(getattr(one, end)) else getattr(one, end)
            for name, one in (("paired", self.paired), ("unpaired", self.unpaired))
            for end in ("low", "high")
        }
        return {
            "cr": self.cr, "snr_db": self.snr_db, "cells": self.cells, "base_value": self.base,
            "other_value": self.other, "difference": self.difference, **ends,
            "images": self.images or None,
            "only_base_right": None if only is None else only.only_base,
            "only_other_right": None if only is None else only.only_other,
            "p_value": None if only is None else only.p_value,
        }  # fmt: skip


@dataclass(frozen=True)
class Compared(Directed):
    """One metric of two links, in all cells that both have.

    Attributes
    ----------
    what
        Metric, receiver and whatever else the cells have in common: column -> value.
    base, other
        What the two are called.
    direction
        Which way is better.
    cells
        A difference for each cell, by CR and SNR.
    mean
        Of the means over these cells.
    """

    what: Mapping[str, str]
    base: str
    other: str
    direction: str
    cells: Sequence[Difference]
    mean: Difference

    def count(self, side: int) -> int:
        """Cells in which the other is better beyond doubt (1), or worse (-1)."""
        return sum(cell.side * self.sign == side for cell in self.cells)

    @property
    def name(self) -> str:
        """What is compared, in words: the metric with its receiver, and so on."""
        metric, *further = (value for value in self.what.values() if value not in ("none", ""))
        return f"{metric} ({', '.join(further)})" if further else metric


@dataclass(frozen=True)
class PairedComparison(Answer):
    """Pairs of links, each metric of each pair by itself.

    `by` is the column that tells the links apart, `level` that of the intervals, `notes` what a
    reader should know.
    """

    by: str
    level: float
    pairs: Sequence[Compared]
    notes: Sequence[str] = ()

    @property
    def assumed(self) -> dict[str, str]:
        """What the intervals are about."""
        return {
            "intervals": f"{100 * self.level:g} % for each difference by itself, of these trained "
            "links on other images of the same kind; training again would change more"
        }

    def rows(self) -> list[dict[str, Any]]:
        """A record for each cell of each pair, and one for its mean, which has no CR and SNR."""
        return [
            {**pair.what, "base": pair.base, "other": pair.other, **one.record()}
            for pair in self.pairs
            for one in (*pair.cells, pair.mean)
        ]

    def to_dict(self) -> dict[str, Any]:
        """Plain content for JSON."""
        return {
            "by": self.by,
            "level": self.level,
            "pairs": [
                {
                    **pair.what, "base": pair.base, "other": pair.other,
                    "direction": pair.direction, "better_cells": pair.count(1),
                    "worse_cells": pair.count(-1), "mean": pair.mean.record(),
                    "cells": [cell.record() for cell in pair.cells],
                }
                for pair in self.pairs
            ],
        }  # fmt: skip

    def text(self) -> str:
        """The cells of one pair and metric; of more, a line each."""
        return self._cells_of(self.pairs[0]) if len(self.pairs) == 1 else self._overview()

    def _overview(self) -> str:
        """A line for each pair and metric: the means over its cells."""
        head = ["metric", "other", "base", "cells", "other's", "base's", "difference",
                *(f"{self._level}, {kind}" for kind in _KINDS), "better", "worse"]  # fmt: skip
        rows = []
        for pair in self.pairs:
            _, _, base, other, *rest = _line(pair.mean, _places([pair.mean]), _KINDS)
            rows.append([
                pair.name, pair.other, pair.base, f"{pair.mean.cells}", other, base, *rest,
                f"{pair.count(1)}", f"{pair.count(-1)}",
            ])  # fmt: skip
        foot = (
            "means over the cells; better and worse: cells that are so beyond their interval; "
            "with one --metric and --receiver, or by --csv, each cell is told"
        )
        return laid_out(columns(head, rows), self.assumed, foot)

    def _cells_of(self, pair: Compared) -> str:
        """What a pair comes to, and each of its cells."""
        mean, places = pair.mean, _places([*pair.cells, pair.mean])
        kinds = _KINDS if mean.images else ("unpaired",)
        spans = [span for span in _line(mean, places, kinds)[5:] if span != "–"]
        over = "" if len(pair.cells) == 1 else f" on average over {len(pair.cells)} cells"
        images = f", the same {mean.images} images" if mean.images else ""
        head = [f"{pair.name}: {pair.other} less {pair.base} is {mean.difference:+.{places}f}"
                f"{over}{images}"]  # fmt: skip
        if spans:
            told = "; ".join(f"{kind} {span}" for kind, span in zip(kinds, spans, strict=True))
            ratio = mean.unpaired.width / mean.paired.width if mean.paired.width > 0 else math.nan
            wide = "" if math.isnan(ratio) else f", {ratio:.2g} times as wide"
            head.append(f"{self._level} interval: {told}{wide}")
            head.append(
                f"{pair.other} is better beyond its interval in {pair.count(1)} of "
                f"{len(pair.cells)} cells, worse in {pair.count(-1)}"
            )
        told_hits = any(one.discordant for one in pair.cells)
        names = ["CR", "SNR dB", pair.base, pair.other, "difference",
                 *(f"{self._level}, {kind}" for kind in kinds),
                 *([f"only {pair.base}", f"only {pair.other}"] if told_hits else [])]  # fmt: skip
        rows = []
        for one in pair.cells:
            only = one.discordant
            counts = [str(only.only_base), str(only.only_other)] if only else ["", ""]
            rows.append([*_line(one, places, kinds), *(counts if told_hits else [])])
        return laid_out("\n".join(head), self.assumed, columns(names, rows))

    @property
    def _level(self) -> str:
        return f"{100 * self.level:g} %"


def _places(lines: Sequence[Difference]) -> int:
    """Decimals that the narrowest interval supports."""
    widths = [one.interval.width / 2 for one in lines]
    return max((digits(width) for width in widths if width > 0), default=4)


def _line(one: Difference, places: int, kinds: Sequence[str]) -> list[str]:
    """CR, SNR, both values, their difference, and intervals of it."""
    where = ["", ""] if one.cr is None else [format_cr(one.cr), f"{one.snr_db:g}"]
    spans = [getattr(one, kind) for kind in kinds]
    return [
        *where, f"{one.base:.{places}f}", f"{one.other:.{places}f}",
        f"{one.difference:+.{places}f}",
        *("–" if math.isnan(span.low) else f"{span.low:+.{places}f} … {span.high:+.{places}f}"
          for span in spans),
    ]  # fmt: skip
