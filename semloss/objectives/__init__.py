"""Objectives: what codecs are trained for; importing the package registers all of them."""

from semloss.objectives.answers import Answers, CrossEntropy
from semloss.objectives.base import OBJECTIVES, Batch, Judge, Objective
from semloss.objectives.features import Features
from semloss.objectives.importance import Importance, importance_maps
from semloss.objectives.maps import Maps
from semloss.objectives.mse import Mse
from semloss.objectives.pixels import Pixels
from semloss.objectives.weighted_sum import WeightedSum

__all__ = [
    "OBJECTIVES", "Answers", "Batch", "CrossEntropy", "Features", "Importance", "Judge", "Maps",
    "Mse", "Objective", "Pixels", "WeightedSum", "importance_maps",
]  # fmt: skip
