"""Outcomes as text, for the JSON record of a cell."""

import base64
import binascii

import numpy as np

from semloss.errors import SemlossError
from semloss.outcomes.outcomes import Values

_BITS, _NUMBERS = "bits:", "f32:"


def encoded(values: Values) -> str:
    """Outcomes (n,) as text: a bit each, or the four bytes of a float32."""
    kind, data = (
        (_BITS, np.packbits(np.asarray(values, dtype=np.bool_)))
        if values.dtype == np.bool_
        else (_NUMBERS, np.asarray(values, dtype="<f4"))
    )
    return kind + base64.b64encode(data.tobytes()).decode("ascii")


def decoded(text: object, n: int) -> Values:
    """Outcomes of n images from `encoded` text.

    Raises
    ------
    SemlossError
        When the text is not that of n outcomes.
    """
    told = str(text)
    kind = next((kind for kind in (_BITS, _NUMBERS) if told.startswith(kind)), "")
    try:
        data = base64.b64decode(told.removeprefix(kind), validate=True)
    except (binascii.Error, ValueError):
        kind, data = "", b""
    if kind == _BITS and len(data) == -(-n // 8):
        return np.unpackbits(np.frombuffer(data, np.uint8), count=n).astype(bool)
    if kind == _NUMBERS and len(data) == 4 * n:
        return np.frombuffer(data, dtype="<f4").astype(np.float32)
    raise SemlossError(f"these are no outcomes of {n} images: {told[:20]!r}")
