"""Picture of an amplifier's back-off: what a target takes at each, and what is sent beside."""

from pathlib import Path

import numpy as np

from semloss.planning.amplifier.answer import OperatingAnswer
from semloss.reports import look
from semloss.reports.what_if.panels import stack
from semloss.units import format_cr


def back_off_plot(answer: OperatingAnswer, path: Path | str) -> None:
    """Draw SNR needed at saturation and power beside the channel over the input back-off.

    Its table lies beside.

    Raises
    ------
    SemlossError
        When a file cannot be written or the suffix is not png, pdf or svg.
    """
    asked, search, best = answer.question, answer.search, answer.best
    goal = look.name_of(asked.fit) if asked.target is None else look.demand(asked)
    of = f" {search.target:.4g}, the most that the link gives," if asked.target is None else ""
    title = f"{asked.link.name}: back-off for {goal}{of} at CR {format_cr(answer.cr)}"
    about = look.origin(asked.fit) + ("" if answer.in_domain else f"; {look.OUTSIDE}")
    x = "input back-off of the amplifier [dB]"
    with stack(path, (2.4, 1.5), title, about, answer.frame(), x) as (needs, beside):
        for family, color, mark in zip(search.measured, look.KINDS, look.MARKERS, strict=False):
            places = [place for place in family if np.isfinite(place.snr_db)]
            back_off = [place.back_off_db for place in places]
            one = family[0]
            label = f"{one.nearest.codec}, {one.amplifier},\n{one.trained}"
            bands = np.array([answer.band(place) for place in places]).reshape(-1, 2)
            needs.plot(back_off, [place.snr_db for place in places], color=color, marker=mark,
                       markersize=3.5, label=label)  # fmt: skip
            needs.fill_between(back_off, bands[:, 0], bands[:, 1], color=color, alpha=0.15, lw=0)
            beside.plot([place.back_off_db for place in family],
                        [place.acpr_dbc for place in family], color=color, marker=mark,
                        markersize=3.5)  # fmt: skip
        for place in search.by_rule:
            if np.isfinite(place.snr_db):
                needs.axhline(place.snr_db, color=look.GREY, linestyle=":",
                              label=f"{place.codec}, backed off\nby its peaks")  # fmt: skip
        needs.fill_between([], [], [], color=look.INK, alpha=0.15, lw=0,
                           label=f"of each, {asked.level}")  # fmt: skip
        needs.axhline(answer.snr_db, color=look.INK, linestyle="--", label="the link has")
        needs.plot(best.back_off_db, best.snr_db, "*", color=look.ACCENT, markersize=11,
                   zorder=5, linestyle="none", label="best")  # fmt: skip
        needs.set_ylabel("SNR at saturation\nthat is needed [dB]")
        if np.isfinite(best.acpr_dbc):
            beside.plot(best.back_off_db, best.acpr_dbc, "*", color=look.ACCENT, markersize=11,
                        zorder=5, linestyle="none")  # fmt: skip
        if search.limit_dbc is not None:
            look.target_line(beside, search.limit_dbc, f"limit, {search.limit_dbc:g} dBc")
        beside.set_ylabel("power beside\nthe channel [dBc]")
