"""Two-line element sets, checked.

Format and checksum: Hoots and Roehrich, Spacetrack Report No. 3 (1980), as CelesTrak describes it.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from semloss.errors import SemlossError

_LENGTH = 69
_DECIMAL = re.compile(r"\d*\.?\d+|\d+\.")
_EPOCH = re.compile(r"\d\d[ \d]{2}\d\.\d+")
#: Numbers of line 2: name, first and last column, range. The point of the eccentricity is implied.
_FIELDS = (
    ("inclination", 9, 16, 0, 180), ("node", 18, 25, 0, 360), ("eccentricity", 27, 33, 0, 1e7),
    ("perigee", 35, 42, 0, 360), ("mean anomaly", 44, 51, 0, 360),
    ("mean motion", 53, 63, 0.01, 20),
)  # fmt: skip


@dataclass(frozen=True)
class Elements:
    """A two-line element set whose form and checksums have been checked."""

    line1: str
    line2: str
    name: str = ""

    def __post_init__(self) -> None:
        for number, line in ((1, self.line1), (2, self.line2)):
            _check_line(number, line)
        for name, first, last, low, high in _FIELDS:
            text = self.line2[first - 1 : last]
            value = float(text) if _DECIMAL.fullmatch(text.strip()) else math.nan
            if not low <= value <= high:
                raise SemlossError(
                    f"TLE line 2: {name} {text.strip()!r} (columns {first} to {last}) is no number "
                    f"in {low:g} … {high:g}; download the element set again"
                )
        if not (_EPOCH.fullmatch(self.line1[18:32]) and 1 <= float(self.line1[20:32]) < 367):
            raise SemlossError(
                f"TLE line 1: the epoch {self.line1[18:32]!r} is no year and day of year; "
                "download the element set again"
            )
        if self.line1[2:7] != self.line2[2:7]:
            raise SemlossError(
                f"TLE: line 1 is of satellite {self.line1[2:7].strip()} and line 2 of "
                f"{self.line2[2:7].strip()}; give two lines of one satellite"
            )

    @property
    def title(self) -> str:
        """Name, or the catalogue number where there is none."""
        return self.name or f"satellite {self.number}"

    @property
    def number(self) -> str:
        """Catalogue number."""
        return self.line1[2:7].strip()

    def orbit(self, api: Any, timescale: Any) -> Any:  # noqa: ANN401 - skyfield has no types
        """The satellite of skyfield.

        Raises
        ------
        SemlossError
            When SGP4 makes nothing of it.
        """
        satellite = api.EarthSatellite(self.line1, self.line2, self.name, timescale)
        if not satellite.model.no_kozai > 0:
            raise SemlossError(
                f"TLE of {self.title}: SGP4 cannot read it, so a character stands in a column that "
                "must be blank; download the element set again"
            )
        return satellite

    @property
    def epoch(self) -> datetime:
        """UTC at which the elements hold; two-digit years from 57 on are of the 20th century."""
        year, day = int(self.line1[18:20]), float(self.line1[20:32])
        start = datetime(year + (1900 if year >= 57 else 2000), 1, 1, tzinfo=UTC)
        return start + timedelta(days=day - 1)


def parse_tle(text: str) -> Iterator[Elements]:
    """Element sets of two or three lines each, in order.

    Raises
    ------
    SemlossError
        When a set fails its checks.
    """
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    for i, line in enumerate(lines[:-1]):
        if line.startswith("1 ") and lines[i + 1].startswith("2 "):
            before = lines[i - 1] if i and lines[i - 1][:2] not in ("1 ", "2 ") else ""
            yield Elements(line, lines[i + 1], before.removeprefix("0 ").strip())


def _check_line(number: int, line: str) -> None:
    """Form and checksum: digits add their value and minus signs one, modulo ten."""
    where = f"TLE line {number}"
    if not line.startswith(f"{number} "):
        raise SemlossError(f'{where} begins {line[:2]!r}; it must begin "{number} "')
    if len(line) != _LENGTH:
        raise SemlossError(
            f"{where} has {len(line)} characters instead of {_LENGTH}; columns count, so copy it "
            "whole with its spaces"
        )
    total = sum(int(c) if c.isdigit() else c == "-" for c in line[:-1]) % 10
    if line[-1] != str(total):
        raise SemlossError(
            f"{where} ends in checksum {line[-1]} but its columns give {total}: a character is "
            "wrong; download the element set again"
        )
