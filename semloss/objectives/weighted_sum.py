"""Several objectives at once, with weights that may change as the training goes."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_serializer, model_validator
from torch import Tensor, as_tensor, nn

from semloss.objectives.base import OBJECTIVES, Batch, Judge, Objective
from semloss.registry import Options, listed

Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Part(Options):
    """An objective of a sum.

    Attributes
    ----------
    weight
        What its loss is multiplied by: one number, or several that the training goes through
        from its first step to its last, linear between them.
    objective
        Its options stand beside the weight, with their `kind`.
    """

    weight: Annotated[tuple[Weight, ...], BeforeValidator(listed), Field(min_length=1)] = (1.0,)
    objective: Objective

    @model_validator(mode="before")
    @classmethod
    def _parsed(cls, table: Any) -> Any:  # noqa: ANN401 - whatever the file holds
        if not isinstance(table, Mapping) or isinstance(table.get("objective"), Objective):
            return table
        options = dict(table)
        weight = {"weight": options.pop("weight")} if "weight" in options else {}
        objective = OBJECTIVES.parse_within(options, "part")
        if objective.reduce != "mean":
            raise ValueError("say reduce of the sum; parts are added image by image")
        if objective.reads != "image":
            raise ValueError(f"{objective.label} reads {objective.reads}; a sum reads images")
        return {**weight, "objective": objective}

    @model_serializer
    def _table(self) -> dict[str, Any]:
        weight = self.weight[0] if len(self.weight) == 1 else list(self.weight)
        return {"weight": weight, **OBJECTIVES.dump(self.objective)}

    @property
    def label(self) -> str:
        """Weight and objective: "0.003features"; a weight of 1 goes without."""
        if self.weight == (1.0,):
            return self.objective.label
        return "to".join(f"{one:g}" for one in self.weight) + self.objective.label

    def weight_at(self, progress: float | Tensor) -> float | Tensor:
        """The weight after a share of the training, in [0, 1]."""
        if len(self.weight) == 1:
            return self.weight[0]
        place = as_tensor(progress) * (len(self.weight) - 1)
        # between two weights both count, the nearer one more
        shares = [(1 - (place - at).abs()).clamp_min(0) for at in range(len(self.weight))]
        return sum(share * one for share, one in zip(shares, self.weight, strict=True))


@OBJECTIVES.register("sum")
class WeightedSum(Objective):
    """Sum of the losses of several objectives, each with its weight.

    Attributes
    ----------
    parts
        Tables of an objective each, with `weight` beside its own options.
    """

    parts: Annotated[tuple[Part, ...], Field(min_length=1)]

    def tasks_read(self, there: Sequence[str]) -> list[str]:
        """Those of all parts; see `Objective.tasks_read`."""
        read = [label for part in self.parts for label in part.objective.tasks_read(there)]
        return list(dict.fromkeys(read))

    def build(self, bands: int, tasks: Mapping[str, nn.Module], seed: int) -> "SumJudge":
        """Make the judges of all parts."""
        judges = []
        for part in self.parts:
            own = {label: tasks[label] for label in part.objective.tasks_read(list(tasks))}
            judges.append(part.objective.build(bands, own, seed))
        return SumJudge(self.parts, judges)

    @property
    def of_pixels(self) -> bool:
        """See `Objective.of_pixels`."""
        return any(part.objective.of_pixels and any(part.weight) for part in self.parts)

    @property
    def label(self) -> str:
        """Weights and parts: "0.05mse+0.003features"."""
        label = "+".join(part.label for part in self.parts)
        return label if self.reduce == "mean" else f"{label}-reduce{self.reduce}"


class SumJudge(Judge):
    """Judges at work together."""

    def __init__(self, parts: Sequence[Part], judges: Sequence[Judge]) -> None:
        super().__init__()
        self._parts = tuple(parts)
        self.judges = nn.ModuleList(judges)

    def forward(self, batch: Batch, arrived: Tensor) -> Tensor:
        """Weighted sum (B,) of the losses of each image."""
        pairs = zip(self._parts, self.judges, strict=True)
        losses = [part.weight_at(batch.progress) * judge(batch, arrived) for part, judge in pairs]
        total: Tensor = sum(losses[1:], losses[0])
        return total

    def own_loss(self, batch: Batch, arrived: Tensor) -> Tensor:
        """Sum of those judges' that have networks which learn."""
        learning = [one for one in self.judges if any(p.requires_grad for p in one.parameters())]
        losses: list[Tensor] = [one.own_loss(batch, arrived) for one in learning]  # type: ignore[operator]
        return sum(losses[1:], losses[0])
