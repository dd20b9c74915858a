"""How long and in which manner a network is trained."""

import math
from typing import Literal

import torch
from pydantic import Field
from torch import nn

from semloss.registry import Options
from semloss.training.muon import Muon


class Recipe(Options):
    """How long and how a network is trained.

    Attributes
    ----------
    steps
        Optimiser steps.
    batch_size
        Images per step.
    optimiser
        "muon" (`semloss.training.muon`) or "adam".
    lr
        Peak learning rate, reached after `warmup` and lowered to zero by half a cosine.
    warmup
        Fraction of the steps over which the learning rate rises from zero.
    clip_norm
        Bound on the norm of the whole gradient.
    """

    steps: int = Field(ge=0)
    batch_size: int = Field(default=16, ge=1)
    optimiser: Literal["muon", "adam"] = "muon"
    lr: float = Field(default=0.012, gt=0)
    warmup: float = Field(default=0.05, ge=0, lt=1)
    clip_norm: float = Field(default=0.1, gt=0)

    def make_optimiser(self, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
        """The optimiser of a network's parameters."""
        if self.optimiser == "muon":
            return Muon(parameters, lr=self.lr)
        on_gpu = parameters[0].is_cuda
        return torch.optim.Adam(parameters, lr=self.lr, fused=True, capturable=on_gpu)

    def lr_at(self, step: int) -> float:
        """Learning rate of one step: linear warm-up, then half a cosine down to zero."""
        rise = self.warmup * self.steps
        if step < rise:
            return self.lr * (step + 1) / (rise + 1)
        return self.lr * 0.5 * (1 + math.cos(math.pi * (step - rise) / (self.steps - rise)))
