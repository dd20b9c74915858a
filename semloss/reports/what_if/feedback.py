"""Picture of a pass with feedback: what an image takes, what waits, what it brings."""

from pathlib import Path

import numpy as np

from semloss.arrays import Array
from semloss.planning.passes.feedback import FeedbackAnswer
from semloss.reports import look
from semloss.reports.what_if.panels import draw_images, stack
from semloss.units import ROUND_CRS, format_cr


def feedback_plot(answer: FeedbackAnswer, path: Path | str) -> None:
    """Draw SNR, CR, images on board and images delivered, beside the adaptive CR.

    Its table lies beside.

    Raises
    ------
    SemlossError
        When a file cannot be written or the suffix is not png, pdf or svg.
    """
    result, ours = answer.run
    asked, minutes = answer.question, ours.time_s / 60
    first, second = look.KINDS[0], look.KINDS[1]
    title = (
        f"{asked.link.name}, {result.pass_.about}: layers until the receiver is sure against "
        f"adaptive CR for {look.demand(asked)}"
    )
    about = look.origin(asked.fit) + ("" if answer.in_domain else f"; in part {look.OUTSIDE}")
    x = "time since rise [min]"
    with stack(path, (1.1, 1.5, 1.1, 1.7), title, about, answer.frame(), x) as panels:
        snr, cr, waiting, images = panels
        snr.plot(minutes, ours.snr_db, color=look.INK)
        snr.set_ylabel("SNR, Es/N0\n[dB]")
        taken = np.concatenate([answer.cr_sent, ours.cr])
        cr.plot(minutes, np.log(answer.cr_sent), color=first, label="until sure, mean")
        cr.step(minutes, np.log(ours.cr), where="post", color=second, linestyle="--",
                label="adaptive")  # fmt: skip
        if np.isfinite(taken).any():
            look.cr_axis(cr.yaxis, _around(np.nanmin(taken), np.nanmax(taken)))
        cr.set_ylabel("CR of\nan image")
        waiting.plot(minutes, answer.waiting, color=first)
        waiting.set_ylim(bottom=0)
        waiting.set_ylabel("images that\nwait on board")
        best = f"best fixed CR,\n{format_cr(ours.best_fixed_cr)}"
        curves = [
            (answer.images, first, "-", "until sure"), (ours.images, second, "--", "adaptive"),
            (result.images, look.GREY, ":", best),
        ]  # fmt: skip
        largest = max(answer.images_delivered, ours.images_delivered)
        draw_images(images, minutes, curves, largest)
        images.set_ylim(bottom=0)


def _around(low: float, high: float) -> Array:
    """Round CRs from the one below to the one above: two at least, however little a CR moves."""
    rounded = np.sort(ROUND_CRS)
    first = max(int(np.searchsorted(rounded, 1.001 * low, "right")) - 1, 0)
    last = int(np.searchsorted(rounded, high / 1.001))
    if first >= last:
        first, last = max(first - 1, 0), first + 1
    return rounded[first : last + 1]
