"""What the code calls its arrays, in one place."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
"""Numbers in double precision, whatever their shape."""
Mask = NDArray[np.bool_]
"""Truth values, whatever their shape."""
Integers = NDArray[np.int64]
"""Whole numbers, whatever their shape."""
