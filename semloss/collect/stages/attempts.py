"""Training in attempts: try again more gently when one diverges, and say so when none holds.

What failed is on disk before the next attempt begins, so that an interruption costs no more
during a retry than during a first attempt.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeVar

from torch import nn

from semloss.collect.run import Run, UnitFolder
from semloss.errors import Diverged, SemlossError
from semloss.identity import digest
from semloss.storage import read_json, write_json
from semloss.training import BatchLoss, Companion, Member, Reading, Recipe, Trained

Record = dict[str, Any]
N = TypeVar("N", bound=nn.Module)
T = TypeVar("T")

#: Work that asks for networks to be trained as it goes on, is told how that went, and has a
#: result: who carries it out may train those of several at once.
Doing = Generator[Member, Trained, T]

#: Batch loss of a network, and the network that is trained beside it, if any.
Teaching = tuple[BatchLoss, Companion | None]


@dataclass(frozen=True)
class Attempts:
    """Where a stage of a folder is trained, and how often at most.

    Attributes
    ----------
    run
        Its log hears of divergences.
    folder, stage
        Where weights and record go.
    recipe
        Manner of the first attempt; each further one halves its learning rate.
    retries
        Attempts after the first.
    n_items
        Training items.
    reading
        Where they come from that the device does not hold all at once.
    """

    run: Run
    folder: UnitFolder
    stage: str
    recipe: Recipe
    retries: int
    n_items: int
    reading: Reading | None = None

    def train(
        self,
        make: Callable[[str], N],
        teach: Callable[[N, str], Teaching],
        facts_of: Callable[[N, str], Record],
    ) -> Doing[Record]:
        """Train a network and finish the stage with it.

        Parameters
        ----------
        make
            Makes an attempt's network, given the attempt's key.
        teach
            What a network is trained by, given the key too.
        facts_of
            What the record says of the trained network; raises `Diverged` if it learnt nothing.

        Returns
        -------
        dict
            The record: status "ok", "retried" or "diverged" (then without weights), what each
            failed attempt showed, learning rate, steps, CPU seconds of all attempts, losses,
            facts.
        """
        folder, stage = self.folder, self.stage
        failures = _Failures(folder, stage)
        checkpoint = folder.path / f"training-{stage}.safetensors"
        while len(failures.texts) <= self.retries:
            key = digest([folder.key, stage, "attempt", len(failures.texts)])
            lr = self.recipe.lr / 2 ** len(failures.texts)
            network = make(key)
            loss, companion = teach(network, key)
            gentler = self.recipe.model_copy(update={"lr": lr})
            trained = yield Member(
                network, loss, self.n_items, gentler, key, checkpoint, companion, self.reading
            )
            try:
                if trained.failure:
                    raise Diverged(trained.failure)
                facts = facts_of(network, key)
            except Diverged as outcome:
                failures.add(f"lr {lr:g}: {outcome}", trained.cpu_s)
                self.run.log(f"{folder.path.name}: {stage} diverged at {failures.texts[-1]}")
                checkpoint.unlink(missing_ok=True)
                continue
            record = {
                "status": "retried" if failures.texts else "ok",
                "attempts": failures.texts,
                "lr": lr,
                "steps": trained.steps,
                "cpu_s": trained.cpu_s + failures.cpu_s,
                "losses": trained.losses,
                **facts,
            }
            folder.write(stage, record, network)
            checkpoint.unlink(missing_ok=True)
            failures.path.unlink(missing_ok=True)
            return record
        return give_up(folder, stage, failures.texts, failures.cpu_s)


def give_up(folder: UnitFolder, stage: str, attempts: list[str], cpu_s: float = 0.0) -> Record:
    """Finish a stage without weights: its cells are flagged and never averaged in."""
    record: Record = {
        "status": "diverged",
        "attempts": attempts,
        "lr": None,
        "steps": 0,
        "cpu_s": cpu_s,
        "losses": [],
    }
    folder.write(stage, record)
    return record


class _Failures:
    """What the failed attempts of a stage showed, kept on disk."""

    def __init__(self, folder: UnitFolder, stage: str) -> None:
        self.path = folder.path / f"attempts-{stage}.json"
        self._key = folder.key
        self.texts: list[str] = []
        self.cpu_s = 0.0
        if self.path.exists():
            try:
                record = read_json(self.path)
            except SemlossError:
                return
            if isinstance(record, dict) and record.get("key") == self._key:
                self.texts, self.cpu_s = record["texts"], record["cpu_s"]

    def add(self, text: str, cpu_s: float) -> None:
        """Note a failure."""
        self.texts.append(text)
        self.cpu_s += cpu_s
        write_json(self.path, {"key": self._key, "texts": self.texts, "cpu_s": self.cpu_s})
