"""Choosing the points of a surface, or of several, from a table, with their noise."""

from semloss.selection.choice import select, select_groups
from semloss.selection.points import Noise, Points

__all__ = ["Noise", "Points", "select", "select_groups"]
