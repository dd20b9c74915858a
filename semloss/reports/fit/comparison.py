"""Several surfaces side by side: what each needs, in one table and one picture."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from textwrap import fill

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from semloss.errors import SemlossError, TargetNotAttainable
from semloss.facts import metric_facts
from semloss.reports.look import ACCENT, INK, MARKERS, PAGE, picture, series_colors, snr_axis
from semloss.reports.page import about_cr, row_of_most, rows_of, signed
from semloss.surfaces.fitted.fit import Fit

LEVEL = 0.9
"""Common level at which surfaces are compared: share of what SNR can bring at one CR."""

_STEPS = 121


def surfaces_table(fits: Sequence[Fit]) -> pd.DataFrame:
    """One row per surface: what it is, its form and errors, and what a common level needs.

    `cr` is one that all share where their ranges overlap. At it, `worst` and `best` are the
    fitted values at the lowest and highest fitted SNR, `target` lies `LEVEL` of the way from one
    to the other, and `min_snr_db` with `low` and `high` is the SNR that meets it. Errors are in
    units of the metric and, ending in `_percent`, of the measured range.
    """
    rows = []
    for fit, name, cr in zip(fits, surface_names(fits), _common_crs(fits), strict=True):
        ends = np.asarray(
            fit.predict(cr=cr, snr_db=np.array(fit.snr_db_range), interval=None).value
        )
        target = float(ends[0] + LEVEL * (ends[1] - ends[0]))
        needs: tuple[float | None, ...] = (None, None, None)
        if ends[0] != ends[1]:  # a flat surface needs nothing
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
                "outcome": fit.outcome.value,
                **errors,
                **{
                    f"{key}_percent": None if error is None else percent * error
                    for key, error in errors.items()
                },
                "cr": cr,
                "worst": float(ends[0]),
                "best": float(ends[1]),
                "target": target,
                "min_snr_db": needs[0],
                "low": needs[1],
                "high": needs[2],
            }
        )
    return pd.DataFrame(rows)


def surfaces_plot(fits: Sequence[Fit], path: Path | str) -> str:
    """Draw several surfaces side by side: normalised curves, the SNR they need, their errors.

    Left, the metric at one CR against SNR as the share of what SNR brings there, so that metrics
    of any unit and direction compare. Middle, the SNR at which it reaches `LEVEL`, with its 95 %
    interval. Right, in-sample (hollow) and held-out error. The table beside the picture is that
    of `surfaces_table`.

    Returns one sentence that reads the picture; raises as `forms_plot`.
    """
    if len(fits) < 2:
        raise SemlossError("one surface only: there is nothing to compare it with")
    table = surfaces_table(fits)
    shares = shares_table(fits, table)
    with picture(path, PAGE, max(2.6, 0.9 + 0.3 * len(fits)), table, {"-curves": shares}) as figure:
        grid = figure.add_gridspec(1, 3, width_ratios=(1.15, 1.0, 0.8))
        curves, needs, errors = (figure.add_subplot(grid[0, i]) for i in range(3))
        _normalised(curves, shares, table)
        _needs(needs, fits, table)
        _errors(errors, table)
        sns.despine(figure)
        for axes in (needs, errors):
            axes.spines["left"].set_visible(False)
    return _read_surfaces(table)


def shares_table(fits: Sequence[Fit], table: pd.DataFrame) -> pd.DataFrame:
    """Rows `surface`, `snr_db`, `share`, `low`, `high`: the normalised curves of `surfaces_table`.

    A flat surface has no share to show, and no rows.
    """
    parts = []
    for fit, row in zip(fits, rows_of(table), strict=True):
        gain = row["best"] - row["worst"]
        if gain == 0:
            continue
        snr = np.linspace(*fit.snr_db_range, _STEPS)
        curve = fit.predict(cr=row["cr"], snr_db=snr)
        ends = [(np.asarray(edge) - row["worst"]) / gain for edge in (curve.low, curve.high)]
        parts.append(
            pd.DataFrame(
                {
                    "surface": row["surface"],
                    "snr_db": snr,
                    "share": (np.asarray(curve.value) - row["worst"]) / gain,
                    "low": np.minimum(*ends),  # a falling metric turns its band over
                    "high": np.maximum(*ends),
                }
            )
        )
    columns = ["surface", "snr_db", "share", "low", "high"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def surface_names(fits: Sequence[Fit]) -> list[str]:
    """Short names that tell the surfaces apart: metric, receiver, and what else differs."""
    told = [
        {
            "metric": metric_facts(fit.metric).label,
            "receiver": "" if fit.receiver == "none" else fit.receiver,
            **_provenance(fit),
        }
        for fit in fits
    ]
    keys = list(dict.fromkeys(key for one in told for key in one))
    differing = [k for k in keys if len({one.get(k, "") for one in told}) > 1] or keys[:2]
    kept = [k for k in keys if k in differing or k == "metric"]
    names = [", ".join(one[k] for k in kept if one.get(k)) for one in told]
    return [
        name if names.count(name) == 1 else f"{name} #{names[: i + 1].count(name)}"
        for i, name in enumerate(names)
    ]


_KNOWN = ("metric", "receiver", "semloss")


def _provenance(fit: Fit) -> dict[str, str]:
    """What a fit tells of its table, the codec once: its label where there is one."""
    told = {str(k): str(v) for k, v in fit.provenance.items() if k not in _KNOWN}
    if "codec_label" in told:
        told.pop("codec", None)
    return told


def _common_crs(fits: Sequence[Fit]) -> list[float]:
    """The CR in the middle of the range that all share, for each; else each one's own middle."""
    ends = np.log([fit.cr_range for fit in fits])
    low, high = float(ends[:, 0].max()), float(ends[:, 1].min())
    if low <= high + 1e-9:
        return [float(np.exp(0.5 * (low + high)))] * len(fits)
    return [float(np.exp(0.5 * (a + b))) for a, b in ends]


def _normalised(axes: Axes, shares: pd.DataFrame, table: pd.DataFrame) -> None:
    colors = series_colors(len(table))
    for i, name in enumerate(table["surface"]):
        curve = shares[shares["surface"] == name]
        snr = curve["snr_db"]
        axes.fill_between(
            snr, curve["low"], curve["high"], color=colors[i], alpha=0.15, linewidth=0
        )
        axes.plot(
            snr, curve["share"], color=colors[i], marker=MARKERS[i % len(MARKERS)],
            markevery=(4 + (7 * i) % 24, 24), markersize=4.5, markeredgecolor="white",
            markeredgewidth=0.4,
        )  # fmt: skip
    axes.axhline(LEVEL, color=INK, linewidth=0.8, linestyle=(0, (4, 3)))
    axes.set_ylim(-0.08, 1.12)
    snr_axis(axes.xaxis, 6)
    axes.set_ylabel("share of what SNR brings")
    ratios = np.unique(table["cr"].round(12))
    axes.set_title(f"at CR {about_cr(ratios[0])}" if len(ratios) == 1 else "at its middle CR")


def _needs(axes: Axes, fits: Sequence[Fit], table: pd.DataFrame) -> None:
    colors = series_colors(len(fits))
    top = max(fit.snr_db_range[1] for fit in fits)
    rows = np.arange(len(table))[::-1]
    for i, (row, place) in enumerate(zip(rows_of(table), rows, strict=True)):
        if pd.isna(row["min_snr_db"]):
            continue
        open_ = pd.isna(row["high"])
        end = top if open_ else row["high"]
        axes.hlines(place, row["low"], end, color=colors[i], linewidth=2.2)
        if open_:
            axes.plot(top, place, ">", color=colors[i], markersize=4)
        axes.plot(
            row["min_snr_db"], place, MARKERS[i % len(MARKERS)], color=colors[i], markersize=6,
            markeredgecolor="white", markeredgewidth=0.5,
        )  # fmt: skip
    axes.set_yticks(rows, [fill(name, 24) for name in table["surface"]])
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(-0.6, len(table) - 0.4)
    snr_axis(axes.xaxis, 5)
    axes.set_xlabel(f"SNR for {100 * LEVEL:g} % [dB]")


def _errors(axes: Axes, table: pd.DataFrame) -> None:
    rows = np.arange(len(table))[::-1]
    axes.hlines(rows, 0, 1, color="#dddddd", linewidth=0.6, zorder=0,
                transform=axes.get_yaxis_transform())  # fmt: skip
    for key, face, edge, label in (
        ("rmse_percent", "white", INK, "in-sample"),
        ("held_out_percent", ACCENT, "white", "held out"),
    ):
        axes.plot(
            table[key].astype(float), rows, "o" if face == "white" else "D", color=face,
            markeredgecolor=edge, markersize=5, clip_on=False, label=label, zorder=3,
        )  # fmt: skip
    axes.set_ylim(-0.6, len(table) - 0.4)
    axes.set_xlim(left=0)
    axes.set_yticks([])
    axes.set_xlabel("error [% of the range]")
    axes.legend(
        loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False, handletextpad=0.1,
        columnspacing=0.8, borderaxespad=0.1,
    )  # fmt: skip


def _read_surfaces(table: pd.DataFrame) -> str:
    known = table[table["min_snr_db"].notna() & (table["best"] != table["worst"])]
    if known.empty:
        return "No surface changes with SNR."
    needs = known["min_snr_db"].to_numpy(float)
    first, last = row_of_most(known, -needs), row_of_most(known, needs)
    text = (
        f"{100 * LEVEL:g} % of what SNR brings is reached first by {first['surface']}, at "
        f"{first['min_snr_db']:.1f} dB, and last by {last['surface']}, at "
        f"{last['min_snr_db']:.1f} dB"
    )
    worst = row_of_most(table, table["rmse_percent"].to_numpy(float))
    return signed(
        f"{text}; the largest in-sample error is {worst['rmse_percent']:.1f} % of the range, that "
        f"of {worst['surface']}."
    )
