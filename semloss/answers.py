"""What every answer can do, whatever was asked: the one protocol of results.

An answer is told as text, as JSON, as rows and as a picture, and knows whether a target was met.
Pictures live above, in `semloss.reports`, and are filed in `semloss.pictures`.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semloss.errors import SemlossError
from semloss.pictures import drawing_of
from semloss.storage import picture_kind

if TYPE_CHECKING:
    import pandas as pd


class Answer(ABC):
    """The answer to one question."""

    @abstractmethod
    def rows(self) -> Sequence[Mapping[str, Any]]:
        """Records of the answer's table, as a CSV holds them."""

    def frame(self) -> "pd.DataFrame":
        """The answer's table."""
        import pandas as pd

        return pd.DataFrame(self.rows())

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Plain content for JSON; numbers that are not finite become null there."""

    @property
    def head(self) -> str:
        """What was found, with its doubt, and whether the fit was measured there."""
        return ""

    @property
    def body(self) -> str:
        """What leads to it, row by row."""
        return ""

    def text(self) -> str:
        """The answer first, then what it rests on, then its rows."""
        return laid_out(self.head, self.assumed, self.body)

    def __str__(self) -> str:
        return self.text()

    @property
    def met(self) -> bool | None:
        """Whether the target that was asked is met; None where none was asked."""
        return None

    @property
    def in_domain(self) -> bool | None:
        """Whether all of it lies where the fit was measured; None where no fit was asked."""
        return None

    @property
    def domain(self) -> str:
        """Where the fit was measured, in words; empty where the answer does not tell."""
        return ""

    @property
    def other_images(self) -> str:
        """In what its images are not those that the fit was measured on; empty where they are."""
        return ""

    @property
    def assumed(self) -> dict[str, str]:
        """What it rests on, in words by what they are about."""
        return {}

    @property
    def place(self) -> str:
        """The one CR and SNR that it is about, in words; empty where there are more."""
        return ""

    @property
    def notes(self) -> Sequence[str]:
        """What was remarked on the way to it."""
        return ()

    @property
    def warnings(self) -> Sequence[str]:
        """What a reader should know beside the answer, in one line each."""
        return self.notes

    def plot(self, path: Path | str) -> None:
        """Draw the answer (png, pdf or svg); the table behind it may lie beside the picture.

        Raises
        ------
        SemlossError
            When the suffix is none of these, the place cannot be written, or there is no picture
            of such an answer.
        """
        path = Path(path)
        picture_kind(path)
        drawing = drawing_of(type(self))
        if drawing is None:
            raise SemlossError("there is no picture of this answer; use --csv or --json")
        drawing(self, path)


def records(table: "Mapping[str, Any] | pd.DataFrame") -> list[dict[str, Any]]:
    """Rows of a table that is given by columns of one length."""
    columns = {
        str(name): column.tolist() if hasattr(column, "tolist") else list(column)
        for name, column in table.items()
    }
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def assumed_text(told: Mapping[str, str]) -> str:
    """What an answer rests on, as lines for a reader."""
    first, rest = told.get("fit"), [f"{k} {v}" for k, v in told.items() if k != "fit"]
    lines = [line for line in (first, "; ".join(rest)) if line]
    return "\n".join(f"{'' if i else 'assumed':<11}{line}" for i, line in enumerate(lines))


def comment(told: Mapping[str, str]) -> str:
    """What an answer rests on, as comment lines at the head of a CSV."""
    return "".join(f"# {name}: {' '.join(text.split())}\n" for name, text in told.items())


def laid_out(head: str, told: Mapping[str, str], body: str) -> str:
    """An answer as a reader meets it: what was found, what it rests on, then the rows."""
    return "\n".join(part for part in (head, assumed_text(told), body) if part)


def plain(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Copy with numpy's numbers as Python's, and None for what is not finite."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
