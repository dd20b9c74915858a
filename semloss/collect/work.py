"""What a worker does: the stages of a pack of units, one after another."""

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

import torch
from torch import nn

from semloss.collect import BEGAN_S
from semloss.collect.run import Busy
from semloss.collect.stages import STAGES
from semloss.collect.stages.attempts import Doing
from semloss.collect.stages.bench import Bench, Damaged
from semloss.collect.units import Job
from semloss.errors import SemlossError
from semloss.training import Member, Recipe, Trained, keep_freed_memory, train, train_pack

T = TypeVar("T")

#: CPU seconds of importing what a worker imports when it starts; none where it was imported before.
IMPORT_S = time.process_time() - BEGAN_S


@dataclass(frozen=True)
class Result:
    """What a worker tells of a unit.

    Attributes
    ----------
    summary
        Headline of a finished unit, or why it was not done.
    seconds
        What it took.
    postponed
        It must be done later: another process holds it, or what it needs is damaged.
    damaged
        Identifier of the unit whose weights are not whole.
    """

    summary: str
    seconds: float = 0.0
    postponed: bool = False
    damaged: str | None = None


@lru_cache(maxsize=1)
def prepare_process(threads: int) -> None:
    """Settle a process, once: threads decide the order of sums, hence the result."""
    torch.set_num_threads(threads)
    torch.backends.cudnn.deterministic = True
    keep_freed_memory()
    # one step of a network of two weights: it has PyTorch import what it puts off until then,
    # which is no part of the first unit's time
    network, image = nn.Conv2d(1, 1, 1), torch.ones(1, 1, 1, 1)
    train(network, lambda _, __: network(image).sum(), 1, Recipe(steps=1, batch_size=1), "first")


def do_pack(jobs: Sequence[Job]) -> list[Result]:
    """Do what is left of some units of one stage: the entry point of every engine.

    What they ask to be trained at one time is trained as a pack.

    Raises
    ------
    SemlossError
        When the images cannot be read, the results not be written, the clean task model does
        not train, or a GPU's memory does not suffice.
    """
    if not jobs:
        return []
    prepare_process(jobs[0].experiment.compute.threads)
    try:
        return carry_out([_do(job) for job in jobs])
    except torch.OutOfMemoryError:
        raise SemlossError(
            f"{jobs[0].unit.name}: out of GPU memory; lower the batch sizes, in another folder "
            "(--out)"
        ) from None
    except RuntimeError as error:
        if jobs[0].device != "cuda" or "CUDA" not in str(error):
            raise
        raise SemlossError(
            f"the GPU gave up ({str(error).splitlines()[0]}); what was done is on disk: the same "
            "command goes on from there"
        ) from None


def carry_out(doings: Sequence[Doing[T]]) -> list[T]:
    """Carry some work out together; the result of each."""
    results: dict[int, T] = {}
    told: dict[int, Trained | None] = dict.fromkeys(range(len(doings)))
    with ExitStack() as stack:
        for doing in doings:  # none keeps its lock when another fails
            stack.callback(doing.close)
        while told:
            asked: dict[int, Member] = {}
            for at, trained in told.items():
                try:
                    asked[at] = doings[at].send(trained)  # type: ignore[arg-type]
                except StopIteration as end:
                    results[at] = end.value
            told = dict(zip(asked, train_pack(list(asked.values())), strict=True))
    return [results[at] for at in range(len(doings))]


def _do(job: Job) -> Doing[Result]:
    started = time.monotonic()
    bench = Bench(job)
    try:
        with bench.folder(job.unit).locked():
            summary = yield from STAGES[job.unit.stage].do(job.unit, bench)
    except Busy:
        return Result("another collect is at work on it", postponed=True)
    except Damaged as harm:
        return Result(f"{harm} is damaged", postponed=True, damaged=str(harm))
    return Result(summary, time.monotonic() - started)
