"""Several surfaces side by side: what each needs, in one table and one picture."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from textwrap import fill
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from semloss.errors import SemlossError, TargetNotAttainable
from semloss.facts import metric_facts
from semloss.reports import look
from semloss.reports.page import about_cr, capital, row_of_most, rows_of, signed
from semloss.selection.checks import LINK
from semloss.surfaces.fitted.bands import level_text
from semloss.surfaces.fitted.fit import Fit
from semloss.surfaces.fitted.outcome import verdict

LEVEL = 0.9
"""How far up its range the weakest surface of a metric sets the target that all are asked for."""

_STEPS = 121
_NAME, _LINE = 28, 0.15
"""Characters of a line of a surface's name, and inches of its height."""


def surfaces_table(fits: Sequence[Fit]) -> pd.DataFrame:
    """One row per surface: what it is, its form and errors, and what a common level needs.

    `cr` is one that all share where their ranges overlap. At it, `worst` and `best` are the
    fitted values at the lowest and highest fitted SNR, and `behind` is what `best` lacks of the
    best surface of the same metric. `target` is one value for all surfaces of a metric: `LEVEL` of
    the way up the one that ends lowest; `min_snr_db` with `low` and `high` meets it. Errors are in
    units of the metric and, ending in `_percent`, of the measured range.
    """
    names, ratios = surface_names(fits), _common_crs(fits)
    ends = [
        fit.predict(cr=cr, snr_db=np.array(fit.snr_db_range), interval=None).value
        for fit, cr in zip(fits, ratios, strict=True)
    ]
    rows = []
    for fit, name, cr, (worst, best) in zip(fits, names, ratios, ends, strict=True):
        alike = [e for e, other in zip(ends, fits, strict=True) if other.metric == fit.metric]
        rising = [pair for pair in alike if pair[0] != pair[1]] or alike
        weakest = min(rising, key=lambda pair: fit.sign * pair[1])
        target = float(weakest[0] + LEVEL * (weakest[1] - weakest[0]))
        needs: tuple[float | None, ...] = (None, None, None)
        if worst != best:  # a flat surface needs nothing
            with suppress(TargetNotAttainable):
                need = fit.min_snr(target=target, cr=cr)
                needs = (need.snr_db, need.low, need.high)
        quality = fit.quality
        percent = 100.0 / (quality.get("range") or 1.0)
        errors = {key: quality.get(key) for key in ("rmse", "held_out")}
        rows.append(
            {
                "surface": name,
                "metric": fit.metric,
                "receiver": fit.receiver,
                "task": fit.task,
                "codec": fit.provenance.get("codec", ""),
                "points": quality.get("points"),
                "form": fit.form,
                "outcome": verdict(fit.outcome, quality),
                **errors,
                **{
                    f"{key}_percent": None if error is None else percent * error
                    for key, error in errors.items()
                },
                "cr": cr,
                "worst": float(worst),
                "best": float(best),
                "behind": float(max((fit.sign * (e[1] - best) for e in alike), default=0.0)),
                "target": target,
                "min_snr_db": needs[0],
                "low": needs[1],
                "high": needs[2],
            }
        )
    return pd.DataFrame(rows)


def surfaces_plot(fits: Sequence[Fit], path: Path | str) -> str:
    """Draw several surfaces side by side: their values at one CR, the SNR they need, their errors.

    Above, a panel for each metric: its value against SNR at one CR, with its band, and the target
    that its surfaces are compared at. Below, the SNR at which each meets it, with its 95 %
    interval, and its in-sample (hollow) and held-out error. The table beside the picture is that
    of `surfaces_table`.
    """
    if len(fits) < 2:
        raise SemlossError("one surface only: there is nothing to compare it with")
    table = surfaces_table(fits)
    curves = values_table(fits, table)
    metrics = list(dict.fromkeys(table["metric"]))
    ratios = {about_cr(cr) for cr in table["cr"]}
    where = f"CR {ratios.pop()}" if len(ratios) == 1 else "the middle CR of each"
    of = table["surface"].map(lambda name: fill(name, _NAME).count("\n") + 1)  # lines of a name
    panel = [max(1.5, 0.5 + _LINE * of[table["metric"] == metric].sum()) for metric in metrics]
    rows = 0.6 + (0.1 + _LINE * of.max()) * len(fits)
    named = ", ".join(metric_facts(metric).label for metric in metrics)
    title = capital(f"{named}: {len(fits)} surfaces at {where}")
    about = look.origin(*fits)
    with look.picture(
        path, look.PAGE, sum(panel) + rows, title, about, table, {"-curves": curves}
    ) as figure:
        grid = figure.add_gridspec(len(metrics) + 1, 2, height_ratios=[*panel, rows])
        panels: list[Axes] = []
        for i, metric in enumerate(metrics):
            panels.append(figure.add_subplot(grid[i, :], sharex=panels[0] if panels else None))
            _values(panels[i], curves, table, metric)
            panels[i].tick_params(labelbottom=i == len(metrics) - 1)
        look.snr_axis(panels[-1].xaxis)
        needs, errors = (figure.add_subplot(grid[-1, i]) for i in range(2))
        _needs(needs, fits, table)
        _errors(errors, table)
        sns.despine(figure)
        for axes in (needs, errors):
            axes.spines["left"].set_visible(False)
    return _read_surfaces(table)


def values_table(fits: Sequence[Fit], table: pd.DataFrame) -> pd.DataFrame:
    """Rows `surface`, `snr_db`, `value`, `low`, `high`: the curves of `surfaces_table`."""
    parts = []
    for fit, row in zip(fits, rows_of(table), strict=True):
        snr = np.linspace(*fit.snr_db_range, _STEPS)
        curve = fit.predict(cr=row["cr"], snr_db=snr)
        columns = {name: getattr(curve, name) for name in ("value", "low", "high")}
        parts.append(pd.DataFrame({"surface": row["surface"], "snr_db": snr, **columns}))
    return pd.concat(parts, ignore_index=True)


def surface_names(fits: Sequence[Fit]) -> list[str]:
    """Short names that tell the surfaces apart: metric, receiver, and what they were grouped by.

    Where that does not, as for fits of several tables, by what else differs of the link. What was
    measured, or is known of the images, names no surface.
    """
    told = [
        {
            **{key: str(fit.provenance.get(key, "")) for key in (*LINK, *_asked(fits))},
            "metric": metric_facts(fit.metric).label,
            "receiver": "" if fit.receiver == "none" else fit.receiver,
        }
        for fit in fits
    ]
    asked = ["metric", "receiver", *_asked(fits)]
    for keys in (asked, list(dict.fromkeys([*asked, *LINK]))):
        kept = [k for k in keys if k == "metric" or len({one[k] for one in told}) > 1]
        if "codec_label" in kept and "codec" in kept and "codec" not in asked:
            kept.remove("codec")
        kept = kept if len(kept) > 1 or len(fits) == 1 else asked[:2]
        names = [", ".join(one[k] for k in kept if one[k]) for one in told]
        if len(set(names)) == len(names):
            break
    return [
        name if names.count(name) == 1 else f"{name} #{names[: i + 1].count(name)}"
        for i, name in enumerate(names)
    ]


def _asked(fits: Sequence[Fit]) -> list[str]:
    """Columns that the surfaces were grouped by, in the order that they were asked for."""
    told = [str(fit.provenance.get("grouped_by", "")).split(", ") for fit in fits]
    return [key for key in dict.fromkeys(key for keys in told for key in keys) if key]


def _common_crs(fits: Sequence[Fit]) -> list[float]:
    """The CR in the middle of the range that all share, for each; else each one's own middle."""
    ends = np.log([fit.cr_range for fit in fits])
    low, high = float(ends[:, 0].max()), float(ends[:, 1].min())
    if low <= high + 1e-9:
        return [float(np.exp(0.5 * (low + high)))] * len(fits)
    return [float(np.exp(0.5 * (a + b))) for a, b in ends]


def _style(i: int) -> dict[str, Any]:
    """Colour, line and marker of the i-th surface."""
    return {
        "color": look.KINDS[i % len(look.KINDS)],
        "linestyle": look.DASHES[(i + i // len(look.KINDS)) % len(look.DASHES)],
        "marker": look.MARKERS[i % len(look.MARKERS)],
    }


def _values(axes: Axes, curves: pd.DataFrame, table: pd.DataFrame, metric: str) -> None:
    rows = [(i, row) for i, row in enumerate(rows_of(table)) if row["metric"] == metric]
    for i, row in rows:
        own = curves[curves["surface"] == row["surface"]]
        look.band_curve(
            axes, own["snr_db"].to_numpy(), own["value"].to_numpy(), (own["low"], own["high"]),
            label=fill(row["surface"], _NAME), markevery=(4 + (7 * i) % 24, 24), markersize=4.5,
            markeredgecolor="white", markeredgewidth=0.4, **_style(i),
        )  # fmt: skip
    look.target_line(axes, rows[0][1]["target"], f"target, {rows[0][1]['target']:.3g}")
    axes.set_ylabel(metric_facts(metric).title)
    look.legend(axes, [look.band_key(f"band, {level_text(0.95, 'new-images')}")])


def _needs(axes: Axes, fits: Sequence[Fit], table: pd.DataFrame) -> None:
    top = max(fit.snr_db_range[1] for fit in fits)
    rows = np.arange(len(table))[::-1]
    for i, (row, place) in enumerate(zip(rows_of(table), rows, strict=True)):
        if pd.isna(row["min_snr_db"]):
            continue
        open_ = pd.isna(row["high"])
        end = top if open_ else row["high"]
        axes.hlines(place, row["low"], end, color=_style(i)["color"], linewidth=2.2)
        if open_:
            axes.plot(top, place, ">", color=_style(i)["color"], markersize=4)
        axes.plot(row["min_snr_db"], place, **_style(i), markersize=6, markeredgecolor="white",
                  markeredgewidth=0.5)  # fmt: skip
    axes.set_yticks(rows, [fill(name, _NAME) for name in table["surface"]])
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(-0.6, len(table) - 0.4)
    look.snr_axis(axes.xaxis, 5)
    axes.set_xlabel("SNR that meets the target [dB],\nwith its 95 % interval (▸: open)")


def _errors(axes: Axes, table: pd.DataFrame) -> None:
    rows = np.arange(len(table))[::-1]
    axes.hlines(rows, 0, 1, color="#dddddd", linewidth=0.6, zorder=0,
                transform=axes.get_yaxis_transform())  # fmt: skip
    for key, face, edge, label in (
        ("rmse_percent", "white", look.INK, "in-sample"),
        ("held_out_percent", look.ACCENT, "white", "held out"),
    ):
        axes.plot(
            table[key].astype(float), rows, "o" if face == "white" else "D", color=face,
            markeredgecolor=edge, markersize=5, clip_on=False, label=label, zorder=3,
        )  # fmt: skip
    axes.set_ylim(-0.6, len(table) - 0.4)
    axes.set_xlim(left=0)
    axes.set_yticks([])
    axes.set_xlabel("error [% of the range]")
    look.legend(axes)


def _read_surfaces(table: pd.DataFrame) -> str:
    known = table[table["min_snr_db"].notna() & (table["best"] != table["worst"])]
    if known.empty:
        return "No surface changes with SNR."
    parts = []
    for metric, own in known.groupby("metric", sort=False):
        needs = own["min_snr_db"].to_numpy(float)
        first, last = row_of_most(own, -needs), row_of_most(own, needs)
        text = (
            f"{metric_facts(str(metric)).label} {first['target']:.3g} is met from "
            f"{first['min_snr_db']:.1f} dB by {first['surface']}"
        )
        if len(own) > 1:
            low = row_of_most(own, own["behind"].to_numpy(float))
            text += (
                f" and from {last['min_snr_db']:.1f} dB by {last['surface']}, "
                f"{last['min_snr_db'] - first['min_snr_db']:.1f} dB later; at its highest SNR "
                f"{low['surface']} ends {low['behind']:.3g} behind the best"
            )
        parts.append(text)
    text = "; ".join(parts)
    worst = row_of_most(table, table["rmse_percent"].to_numpy(float))
    return signed(
        f"{text}; the largest in-sample error is {worst['rmse_percent']:.1f} % of the range, that "
        f"of {worst['surface']}."
    )
