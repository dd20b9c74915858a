"""Compression ratios as people write them.

CR is k/n everywhere in semloss: complex channel uses over real source samples, 0 < CR <= 1.
"""

from fractions import Fraction

from semloss.errors import SemlossError

SNR_DB_LIMITS = (-1000.0, 1000.0)
"""SNRs beyond these are no link's, and their powers are no numbers."""
CR_LOWEST = 1e-9
"""The smallest ratio that is read: a symbol for a thousand million samples."""

ROUND_CRS = tuple(
    1.0 / m
    for m in (1, 2, 3, 4, 6, 8, 10, 12, 16, 20, 24, 32, 40, 48, 64, 96, 128, 192, 256, 384, 512)
)
"""Ratios that people choose, falling: for ticks, curves and tables over a range of CRs."""


def parse_cr(text: str | float, where: str = "cr") -> float:
    """Read a compression ratio CR = k/n.

    Parameters
    ----------
    text
        A number (0.0833) or a fraction as text ("1/12").
    where
        The key or option to name in the error.

    Returns
    -------
    float
        The ratio, 0 < CR <= 1.

    Raises
    ------
    SemlossError
        When the text is no number or the ratio lies outside (0, 1].
    """
    try:
        cr = float(Fraction(text.strip())) if isinstance(text, str) else float(text)
    except (ValueError, TypeError, ZeroDivisionError, OverflowError):
        raise SemlossError(
            f'{where} = {text!r}: write a number or a fraction such as "1/12"'
        ) from None
    if not CR_LOWEST <= cr <= 1:
        small = f", from {CR_LOWEST:g}" if 0 < cr < 1 else ""
        raise SemlossError(
            f"{where} = {text}: CR is k/n (channel uses per source sample) and lies in (0, 1]"
            f'{small}; e.g. "1/12"'
        )
    return cr


def format_cr(cr: float) -> str:
    """Write a ratio as "1/12" where it is one within 0.1 %, else with four digits."""
    inverse = 1.0 / cr
    nearest = round(inverse)
    if nearest >= 1 and abs(inverse - nearest) <= 1e-3 * inverse:
        return f"1/{nearest}" if nearest > 1 else "1"
    return f"{cr:.4g}"
