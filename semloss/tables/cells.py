"""Single cells: texts and numbers, and a clear line for what is neither."""

import math
import re
from fractions import Fraction
from typing import Any

import pandas as pd

from semloss.errors import SemlossError


def cell_text(cell: Any) -> str:  # noqa: ANN401 - a cell of any type
    """A cell as one line of text, empty where it is missing."""
    if pd.api.types.is_scalar(cell) and pd.isna(cell):
        return ""
    return " ".join(str(cell).split())


def cell_number(cell: Any, where: str) -> float:  # noqa: ANN401 - a cell of any type
    """A cell as a number, NaN where it is blank; 1/12 and 2.08% are numbers, and − is a minus.

    Raises
    ------
    SemlossError
        When it holds something else; `where` names it.
    """
    text = cell_text(cell).replace("\u2212", "-")
    number = text.removesuffix("%").strip()
    unit = 0.01 if text.endswith("%") else 1.0
    try:
        return unit * (float(Fraction(number)) if "/" in number else float(number or math.nan))
    except (ValueError, ZeroDivisionError, OverflowError):
        raise not_a_number(where, text) from None


def cell_is(cell: Any, wanted: str) -> bool:  # noqa: ANN401 - a cell of any type
    """Whether a cell holds what is asked in words; 10 and 10.0 are one number, 1/12 is one too."""
    if isinstance(cell, bool) or not isinstance(cell, int | float):
        return cell_text(cell) == wanted
    try:
        return math.isclose(cell, cell_number(wanted, ""), rel_tol=1e-6, abs_tol=1e-9)
    except SemlossError:
        return False


def not_a_number(where: str, text: str) -> SemlossError:
    """The error for a cell that holds no number, with the likeliest mend."""
    mend = "correct or remove the row"
    if re.fullmatch(r"[-+]?\d+,\d+", text):
        mend = "write a decimal point, not a comma"
    elif "±" in text or "+-" in text or "+/-" in text:
        mend = "write 28.3 ± 0.2, or two columns, value and se (or sd with n)"
    elif re.fullmatch(r"[-+]?[.\d]+ ?[a-zA-Z]+", text):
        mend = "write the number without its unit"
    shown = text if len(text) <= 40 else f"{text[:39]}…"
    return SemlossError(f"{where} = {shown!r} is not a number; {mend}")
