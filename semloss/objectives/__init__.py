"""Objectives: what codecs are trained for; importing the package registers all of them."""

from semloss.objectives.base import OBJECTIVES, Batch, Judge, Objective
from semloss.objectives.mse import Mse

__all__ = ["OBJECTIVES", "Batch", "Judge", "Mse", "Objective"]
