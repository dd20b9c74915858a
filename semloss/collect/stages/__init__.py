"""The stages of the work, one file each; importing the package registers all of them."""

from semloss.collect.stages import codec, measured, receiver, task_model
from semloss.collect.stages.base import STAGES, Rates, Stage

__all__ = ["STAGES", "Rates", "Stage", "codec", "measured", "receiver", "task_model"]
