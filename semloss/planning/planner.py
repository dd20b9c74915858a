"""The link with its questions as methods: thin, for whoever works in Python.

A link is data (`LinkData`); what is computed from it takes it as an argument.
"""

import dataclasses
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

from numpy.typing import ArrayLike

from semloss.errors import SemlossError
from semloss.planning.budget.budget import Budget, budget_of, samples_per_image
from semloss.planning.budget.ledger import Ledger, ledger
from semloss.planning.budget.metric import metric_at
from semloss.planning.budget.solution import Solution
from semloss.planning.budget.solving import solve
from semloss.planning.link.checks import refuse_incomplete
from semloss.planning.link.file import read_settings
from semloss.planning.link.link import DEFAULTS, KEYS, LinkData
from semloss.planning.link.template import link_path
from semloss.surfaces.fitted.fit import Fit, Prediction
from semloss.units import parse_cr


class Link(LinkData):
    """A link, and what can be asked of it; its fields are those of `LinkData`."""

    @classmethod
    def from_toml(cls, path: Path | str, **otherwise: Any) -> Self:  # noqa: ANN401
        """Read a link file, or a preset by its name; `otherwise` as for `from_dict`."""
        return super().from_toml(link_path(path), **otherwise)

    def budget(self, **overrides: ArrayLike) -> Budget:
        """Evaluate the link budget; see `semloss.planning.budget.budget.budget_of`."""
        return budget_of(self, **overrides)

    def evaluate(
        self,
        fit: Fit,
        *,
        cr: ArrayLike | str | None = None,
        interval: float = 0.95,
        **overrides: ArrayLike,
    ) -> Prediction:
        """Predict the metric at the link's SNR and CR, fields overridden by scalars or arrays."""
        return metric_at(self, fit, self.budget(**overrides), cr=cr, interval=interval)

    def ledger(self, fit: Fit | None = None, **options: Any) -> Ledger:  # noqa: ANN401
        """Lay out the budget as rows; see `semloss.planning.budget.ledger.ledger`."""
        return ledger(self, fit, **options)

    def solve(
        self,
        unknown: str,
        fit: Fit,
        target: float | str,
        *,
        cr: float | str | None = None,
        **options: Any,  # noqa: ANN401
    ) -> Solution:
        """Find what the target needs; see `semloss.planning.budget.solving.solve`.

        `cr` is used in place of the link's own compression ratio.
        """
        if cr is not None and unknown == "cr":
            raise SemlossError('cr is asked for: leave cr away, or solve for "snr_db"')
        link = self if cr is None else self.replace(cr=parse_cr(cr))
        return solve(link, unknown, fit, target, **options)

    @property
    def samples_per_image(self) -> int:
        """Source samples n = bands·rows·columns of an image, padded to whole tiles."""
        return samples_per_image(self)


def open_link(
    source: Path | str,
    settings: Iterable[str] = (),
    needed: Iterable[str] = (),
    **supplied: Any,  # noqa: ANN401 - the type of each field
) -> Link:
    """Read a link file or preset and change it.

    Parameters
    ----------
    source
        Path of a link file, or name of a preset.
    settings
        Texts "key=value", values as in the link file; "key=" puts a key back to its default. A
        setting may complete a file that lacks the key.
    needed
        Keys that the question needs beside what makes a link.
    supplied
        Fields that the file may leave open because the question gives them.

    Raises
    ------
    SemlossError
        When the file cannot be read, or the link is not sound.
    """
    try:
        changes = read_settings(KEYS, settings, DEFAULTS)
    except SemlossError as error:
        raise SemlossError(f"--set: {error}") from None
    warnings = changes.pop("warnings")
    completing = {
        name: value
        for name, value in changes.items()
        if DEFAULTS[name] in (None, dataclasses.MISSING) and value is not None
    }
    link = Link.from_toml(source, needed=needed, **supplied | completing)
    try:
        changed = link.replace(**changes)
        refuse_incomplete({name: getattr(changed, name) for name in KEYS}, KEYS, needed)
    except SemlossError as error:
        raise SemlossError(f"--set: {error}") from None
    return dataclasses.replace(changed, warnings=(*link.warnings, *warnings))
