"""Picture of both chains along a pass: what each uses when, and the images that it delivers."""

from pathlib import Path

import numpy as np

from semloss.planning.digital.over_pass import PassRace
from semloss.reports import look
from semloss.reports.what_if.panels import draw_images, stack


def race_plot(race: PassRace, path: Path | str) -> None:
    """Draw SNR, the CR and the MODCOD in use, and the images of both; its table lies beside."""
    ours, asked, codec = race.schedule, race.question, look.spelled(race.codec)
    minutes = ours.time_s / 60
    first, second = look.KINDS[0], look.KINDS[1]
    title = (
        f"{asked.link.name}, {race.result.pass_.about}: DeepJSCC of adaptive CR against {codec} "
        f"over {race.chain.modcods.name} (VCM) for {look.demand(asked)}"
    )
    about = look.origin(asked.fit) + ("" if race.in_domain else f"; in part {look.OUTSIDE}")
    x = "time since rise [min]"
    with stack(path, (1.2, 1.4, 1.2, 1.6), title, about, race.frame(), x) as panels:
        snr, cr, modcod, images = panels
        snr.plot(minutes, ours.snr_db, color=look.INK)
        snr.set_ylabel("SNR, Es/N0\n[dB]")
        low, high = int(ours.row.min()), int(ours.row.max())
        cr.step(minutes, ours.row, where="post", color=first)
        labels = [row.label for row in ours.table.rows[low : high + 1]]
        cr.set_yticks(range(low, high + 1), labels, fontsize=6)
        cr.set_ylim(low - 0.3, high + 0.3)
        cr.set_ylabel("CR in use")
        modcod.step(minutes, race.bits_per_symbol, where="post", color=second)
        modcod.set_ylim(bottom=0)
        modcod.set_ylabel("bits per symbol\nof the MODCOD")
        curves = [
            (ours.images, first, "-", "DeepJSCC"), (race.digital_images, second, "--", codec)
        ]  # fmt: skip
        largest = max(float(ours.images[-1]), float(race.digital_images[-1]))
        unit = draw_images(images, minutes, curves, largest)
        images.set_ylim(0, 1.05 * max(float(np.max(ours.images)), float(race.digital_images[-1]),
                                      1e-9) / unit)  # fmt: skip
