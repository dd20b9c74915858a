"""Orbit mean-elements messages, as CSV and as JSON.

Keywords: CCSDS 502.0-B-3, section 4, in the form that CelesTrak and Space-Track give. Unlike a
two-line set it has room for catalogue numbers beyond 99,999.
"""

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from semloss.errors import SemlossError

#: What SGP4 takes: keyword and range. What else it reads follows, with what stands in for it.
_NEEDED = {
    "MEAN_MOTION": (0.01, 20), "ECCENTRICITY": (0, 1), "INCLINATION": (0, 180),
    "RA_OF_ASC_NODE": (0, 360), "ARG_OF_PERICENTER": (0, 360), "MEAN_ANOMALY": (0, 360),
}  # fmt: skip
_OTHERWISE = {
    "CLASSIFICATION_TYPE": "U", "OBJECT_ID": "1957-001A", "EPHEMERIS_TYPE": "0",
    "ELEMENT_SET_NO": "0", "REV_AT_EPOCH": "0", "BSTAR": "0", "MEAN_MOTION_DOT": "0",
    "MEAN_MOTION_DDOT": "0",
}  # fmt: skip
_MOST_NUMBER = 339_999
"""Catalogue numbers beyond it fit in no field of SGP4; the orbit does not depend on them."""


@dataclass(frozen=True)
class MeanElements:
    """The keywords of one message, checked."""

    fields: Mapping[str, str]

    def __post_init__(self) -> None:
        if not self.fields.get("EPOCH"):
            raise SemlossError(f"OMM of {self.title}: EPOCH is missing; download it again")
        self.epoch  # noqa: B018 - which refuses one that is no time
        for name, (low, high) in _NEEDED.items():
            text = self.fields.get(name, "")
            try:
                value = float(text)
            except ValueError:
                value = math.nan
            if not low <= value <= high:
                raise SemlossError(
                    f"OMM of {self.title}: {name} = {text!r} is no number in {low:g} … {high:g}; "
                    "download it again"
                )

    @property
    def number(self) -> str:
        """Catalogue number; empty where it has none."""
        return self.fields.get("NORAD_CAT_ID", "")

    @property
    def title(self) -> str:
        """Name, or the catalogue number where there is none."""
        return self.fields.get("OBJECT_NAME") or f"satellite {self.number or 'without a number'}"

    @property
    def epoch(self) -> datetime:
        """UTC at which the elements hold."""
        text = self.fields["EPOCH"]
        try:
            return datetime.fromisoformat(text).replace(tzinfo=UTC)
        except ValueError:
            raise SemlossError(f"OMM of {self.title}: EPOCH = {text!r} is no time") from None

    def orbit(self, api: Any, timescale: Any) -> Any:  # noqa: ANN401 - skyfield has no types
        """The satellite of skyfield."""
        given = {name: text for name, text in self.fields.items() if text}
        number = int(self.number) if self.number.isdigit() else 0
        epoch = f"{self.epoch:%Y-%m-%dT%H:%M:%S.%f}"
        own = {"EPOCH": epoch, "NORAD_CAT_ID": str(number if number <= _MOST_NUMBER else 0)}
        return api.EarthSatellite.from_omm(timescale, _OTHERWISE | given | own)


def parse_omm(text: str) -> Iterator[MeanElements]:
    """Messages of a JSON list or object, or of a CSV with the keywords as its head.

    Raises
    ------
    SemlossError
        When it is neither, or a message fails its checks.
    """
    if text.lstrip()[:1] in ("[", "{"):
        try:
            found = json.loads(text)
        except ValueError:
            raise SemlossError("no OMM: it is not JSON (cut short?)") from None
        records = found if isinstance(found, list) else [found]
    else:
        records = list(csv.DictReader(io.StringIO(text)))
    for record in records:
        if not isinstance(record, dict):
            raise SemlossError("no OMM: its records are no objects")
        yield MeanElements({
            str(k).strip(): "" if v is None else str(v).strip() for k, v in record.items()
        })  # fmt: skip
