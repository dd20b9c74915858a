"""Points of the constellations of DVB-S2 and CCSDS 131.2, of unit mean power."""

import cmath
import math

#: Rings of a modulation: how many points, and the angle of the first.
_POINTS = {
    "QPSK": [(4, math.pi / 4)],
    "8PSK": [(8, math.pi / 4)],
    "16APSK": [(4, math.pi / 4), (12, math.pi / 12)],
    "32APSK": [(4, math.pi / 4), (12, math.pi / 12), (16, 0.0)],
    "64APSK": [(4, math.pi / 4), (12, math.pi / 12), (20, math.pi / 20), (28, math.pi / 28)],
}
#: Radii of the outer rings over that of the inner one, by code rate: EN 302 307-1, Tables 9, 10.
_RADII: dict[str, dict[str, tuple[float, ...]]] = {
    "16APSK": {"2/3": (3.15,), "3/4": (2.85,), "4/5": (2.75,), "5/6": (2.70,), "8/9": (2.60,),
               "9/10": (2.57,)},
    "32APSK": {"3/4": (2.84, 5.27), "4/5": (2.72, 4.87), "5/6": (2.64, 4.64), "8/9": (2.54, 4.33),
               "9/10": (2.53, 4.30)},
}  # fmt: skip
#: The same for all code rates of CCSDS 131.2; DVB-S2's move the capacity by less than 0.1 dB.
_RADII_ACM: dict[str, tuple[float, ...]] = {
    "16APSK": (3.15,),
    "32APSK": (2.84, 5.27),
    "64APSK": (2.73, 4.52, 6.31),
}


def constellation(modcod: str) -> list[complex]:
    """Points of the constellation of a MODCOD: "QPSK 1/2", "16APSK 3/4", "64APSK ACM25".

    Rings of 4, 8, or 4 + 12 (+ 16) points, as in EN 302 307-1, section 5.4, or 4 + 12 + 20 + 28.

    Raises
    ------
    KeyError
        When its rings are not known.
    """
    modulation, rate = modcod.split()
    outer: tuple[float, ...] = ()
    if modulation.endswith("APSK"):
        of_all = rate.startswith("ACM")
        outer = _RADII_ACM[modulation] if of_all else _RADII[modulation][rate]
    rings = [
        (radius, *ring) for radius, ring in zip((1.0, *outer), _POINTS[modulation], strict=True)
    ]
    count = sum(points for _, points, _ in rings)
    scale = math.sqrt(count / sum(points * radius**2 for radius, points, _ in rings))
    return [
        cmath.rect(scale * radius, first + 2 * math.pi * at / points)
        for radius, points, first in rings
        for at in range(points)
    ]
