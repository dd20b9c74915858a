"""Points of DVB-S2's constellations, of unit mean power."""

import cmath
import math

#: Radii of the outer rings over that of the inner one, by code rate: EN 302 307-1, Tables 9, 10.
_RINGS_16 = {"2/3": 3.15, "3/4": 2.85, "4/5": 2.75, "5/6": 2.70, "8/9": 2.60, "9/10": 2.57}
_RINGS_32 = {"3/4": (2.84, 5.27), "4/5": (2.72, 4.87), "5/6": (2.64, 4.64), "8/9": (2.54, 4.33),
             "9/10": (2.53, 4.30)}  # fmt: skip


def constellation(modcod: str) -> list[complex]:
    """Points of the constellation of a MODCOD of DVB-S2: "QPSK 1/2", "16APSK 3/4".

    Rings of 4, 8, or 4 + 12 (+ 16) points, as in EN 302 307-1, section 5.4.
    """
    modulation, rate = modcod.split()
    if modulation in ("QPSK", "8PSK"):
        rings = [(1.0, 4 if modulation == "QPSK" else 8, math.pi / 4)]
    else:
        rings = [(1.0, 4, math.pi / 4)]
        if modulation == "16APSK":
            rings.append((_RINGS_16[rate], 12, math.pi / 12))
        else:
            middle, outer = _RINGS_32[rate]
            rings += [(middle, 12, math.pi / 12), (outer, 16, 0.0)]
    count = sum(points for _, points, _ in rings)
    scale = math.sqrt(count / sum(points * radius**2 for radius, points, _ in rings))
    return [
        cmath.rect(scale * radius, first + 2 * math.pi * at / points)
        for radius, points, first in rings
        for at in range(points)
    ]
