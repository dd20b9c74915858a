"""The recipe, the optimiser and the loop that train every network."""

from semloss.training.checkpoint import Trained
from semloss.training.device import autocast, keep_freed_memory, native_bf16
from semloss.training.draws import SYMMETRIES, Draws, batches, draw_symmetry, turned_at_once
from semloss.training.loop import train, train_pack
from semloss.training.member import BatchLoss, Companion, Member
from semloss.training.recipe import Recipe
from semloss.training.streamed import Reading, Streamed

__all__ = [
    "SYMMETRIES", "BatchLoss", "Companion", "Draws", "Member", "Reading", "Recipe", "Streamed",
    "Trained", "autocast", "batches", "draw_symmetry", "keep_freed_memory", "native_bf16", "train",
    "train_pack", "turned_at_once",
]  # fmt: skip
