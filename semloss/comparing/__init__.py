"""Two links on the same test images: what one is better by, cell by cell, and how sure that is."""

from semloss.comparing.compare import compare
from semloss.comparing.comparison import PairedComparison
from semloss.comparing.saved import SavedAnswer, saved

__all__ = ["PairedComparison", "SavedAnswer", "compare", "saved"]
