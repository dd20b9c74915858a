"""Two links on the same test images: what one is better by, cell by cell, and how sure that is."""

from semloss.comparing.compare import compare
from semloss.comparing.comparison import Comparison

__all__ = ["Comparison", "compare"]
