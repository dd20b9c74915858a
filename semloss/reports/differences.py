"""Picture of what one link is better by than another, over SNR and CR."""

from pathlib import Path

import numpy as np
import pandas as pd
import seaborn as sns

from semloss.comparing import PairedComparison
from semloss.errors import SemlossError
from semloss.facts import metric_facts
from semloss.reports import look
from semloss.units import format_cr

_SPREAD = 0.35
"""Share of the least distance of two SNRs over which the CRs stand beside each other."""


def differences_plot(answer: PairedComparison, path: Path | str) -> None:
    """Draw the difference in each cell with both intervals; its table lies beside the picture.

    Thick bars are the paired intervals, thin ones those without the pairing.

    Raises
    ------
    SemlossError
        When several pairs or metrics are compared.
    """
    if len(answer.pairs) != 1:
        raise SemlossError(
            f"--plot draws one metric of two links, and here are {len(answer.pairs)} comparisons; "
            "choose by --metric, --receiver, --task and --where"
        )
    (pair,) = answer.pairs
    mean, level = pair.mean, f"{100 * answer.level:g} %"
    images = f", the same {mean.images} images" if mean.images else ""
    facts = metric_facts(pair.what["metric"])
    name = look.metric_label(facts.name, pair.what.get("receiver", "none")).partition(" [")[0]
    title = f"{name}: {pair.other} less {pair.base}{images}"
    about = f"{answer.assumed['intervals']}; {facts.label}: {pair.direction} is better"
    cells = pd.DataFrame([one.record() for one in pair.cells])
    ratios = np.unique(cells["cr"])
    levels = np.unique(cells["snr_db"])
    room = float(np.diff(levels).min()) if len(levels) > 1 else 1.0
    with look.picture(path, look.PAGE, 3.0, title, about, cells) as figure:
        axes = figure.subplots()
        axes.axhline(0.0, color=look.GREY, linewidth=0.8)
        shown = look.shown_ratios(ratios)
        colors = look.series_colors(len(shown))
        for i, (cr, color) in enumerate(zip(shown, colors, strict=True)):
            own = cells[cells["cr"] == cr].sort_values("snr_db").astype(float)
            x = own["snr_db"] + room * _SPREAD * ((i + 0.5) / len(shown) - 0.5) * 2
            for kind, width in (("unpaired", 0.7), ("paired", 2.2)):
                axes.vlines(x, own[f"{kind}_low"], own[f"{kind}_high"], color=color,
                            linewidth=width, zorder=2)  # fmt: skip
            axes.plot(x, own["difference"], color=color, linestyle="", markersize=4.5, zorder=3,
                      marker=look.MARKERS[i], markeredgecolor="white", markeredgewidth=0.5,
                      label=format_cr(float(cr)))  # fmt: skip
        look.snr_axis(axes.xaxis)
        axes.set_xlim(levels[0] - 0.6 * room, levels[-1] + 0.6 * room)
        axes.set_ylabel(f"{facts.title},\n{pair.other} less {pair.base}")
        keys = [look.key(f"{level}, unpaired", look.GREY, linewidth=0.7)]
        if mean.images:
            keys.insert(0, look.key(f"{level}, paired", look.GREY, linewidth=2.2))
        look.legend(axes, keys, "CR")
        sns.despine(ax=axes)
