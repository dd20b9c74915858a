"""Tables of modulations and codes (MODCODs): those of the standards, and of a file.

Efficiencies count the frame: information bits less its header, over the symbols of the frame with
the header of the physical layer, without pilots.
"""

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from semloss.arrays import Array
from semloss.errors import SemlossError
from semloss.storage import csv_rows


@dataclass(frozen=True)
class ModCod:
    """A modulation with a code rate.

    Attributes
    ----------
    name
        E.g. ``"QPSK 1/2"``.
    efficiency
        Information bits per symbol, framing included.
    es_n0_db
        Es/N0 [dB] at which it is quasi error free (packet error rate 1e-7).
    """

    name: str
    efficiency: float
    es_n0_db: float


@dataclass(frozen=True)
class Modcods:
    """A table of MODCODs with the name of its standard.

    Raises
    ------
    SemlossError
        When it is empty, has a name twice or a value that cannot be, or when within a modulation
        one that needs more SNR carries less.
    """

    name: str
    entries: tuple[ModCod, ...]

    def __post_init__(self) -> None:
        if not self.entries:
            raise SemlossError(f"{self.name}: a table of MODCODs has one or more")
        families: dict[tuple[str, bool], list[ModCod]] = defaultdict(list)
        known = set()
        for one in self.entries:
            if one.name in known:
                raise SemlossError(f"{self.name}: {one.name} is there twice; keep one")
            known.add(one.name)
            if not 0 < one.efficiency <= 20:
                raise SemlossError(
                    f"{self.name}: {one.name} has efficiency {one.efficiency:g}: lies above 0, up "
                    "to 20 bits per symbol"
                )
            if not -50 <= one.es_n0_db <= 60:
                raise SemlossError(
                    f"{self.name}: {one.name} has es_n0_db {one.es_n0_db:g}: lies in -50 … 60 dB"
                )
            modulation = one.name.rpartition(" ")[0]
            families[modulation, one.name.endswith("-L")].append(one)
        for family in families.values():
            family.sort(key=lambda one: (one.es_n0_db, one.efficiency))
            for less, more in pairwise(family):
                if more.efficiency < less.efficiency:
                    raise SemlossError(
                        f"{self.name}: {more.name} needs more SNR than {less.name} and carries "
                        f"less, {more.efficiency:g} of {less.efficiency:g} bit/symbol; check both"
                    )


def _family(modulation: str, *codes: tuple[str, float, float]) -> tuple[ModCod, ...]:
    return tuple(ModCod(f"{modulation} {rate}", eta, snr) for rate, eta, snr in codes)


DVB_S2 = Modcods(
    "DVB-S2",
    (
    *_family(
        "QPSK",
        ("1/4", 0.490243, -2.35), ("1/3", 0.656448, -1.24), ("2/5", 0.789412, -0.30),
        ("1/2", 0.988858, 1.00), ("3/5", 1.188304, 2.23), ("2/3", 1.322253, 3.10),
        ("3/4", 1.487473, 4.03), ("4/5", 1.587196, 4.68), ("5/6", 1.654663, 5.18),
        ("8/9", 1.766451, 6.20), ("9/10", 1.788612, 6.42),
    ),
    *_family(
        "8PSK",
        ("3/5", 1.779991, 5.50), ("2/3", 1.980636, 6.62), ("3/4", 2.228124, 7.91),
        ("5/6", 2.478562, 9.35), ("8/9", 2.646012, 10.69), ("9/10", 2.679207, 10.98),
    ),
    *_family(
        "16APSK",
        ("2/3", 2.637201, 8.97), ("3/4", 2.966728, 10.21), ("4/5", 3.165623, 11.03),
        ("5/6", 3.300184, 11.61), ("8/9", 3.523143, 12.89), ("9/10", 3.567342, 13.13),
    ),
    *_family(
        "32APSK",
        ("3/4", 3.703295, 12.73), ("4/5", 3.951571, 13.64), ("5/6", 4.119540, 14.28),
        ("8/9", 4.397854, 15.69), ("9/10", 4.453027, 16.05),
    ),
    ),
)  # fmt: skip
"""ETSI EN 302 307-1, Table 13: normal frame, packet error rate 1e-7 over AWGN."""

DVB_S2X = Modcods(
    "DVB-S2X",
    (
    *DVB_S2.entries,
    *_family(
        "QPSK",
        ("2/9", 0.434841, -2.85), ("13/45", 0.567805, -2.03), ("9/20", 0.889135, 0.22),
        ("11/20", 1.088581, 1.45),
    ),
    *_family("8APSK", ("5/9-L", 1.647211, 4.73), ("26/45-L", 1.713601, 5.13)),
    *_family(
        "8PSK", ("23/36", 1.896173, 6.12), ("25/36", 2.062148, 7.02), ("13/18", 2.145136, 7.49)
    ),
    *_family(
        "16APSK",
        ("1/2-L", 1.972253, 5.97), ("8/15-L", 2.104850, 6.55), ("5/9-L", 2.193247, 6.84),
        ("3/5-L", 2.370043, 7.41), ("2/3-L", 2.635236, 8.43), ("26/45", 2.281645, 7.51),
        ("3/5", 2.370043, 7.80), ("28/45", 2.458441, 8.10), ("23/36", 2.524739, 8.38),
        ("25/36", 2.745734, 9.27), ("13/18", 2.856231, 9.71), ("7/9", 3.077225, 10.65),
        ("77/90", 3.386618, 11.99),
    ),
    *_family(
        "32APSK",
        ("2/3-L", 3.291954, 11.10), ("32/45", 3.510192, 11.75), ("11/15", 3.620536, 12.17),
        ("7/9", 3.841226, 13.05),
    ),
    *_family(
        "64APSK",
        ("32/45-L", 4.206428, 13.98), ("11/15", 4.338659, 14.81), ("7/9", 4.603122, 15.47),
        ("4/5", 4.735354, 15.87), ("5/6", 4.936639, 16.55),
    ),
    *_family("128APSK", ("3/4", 5.163248, 17.73), ("7/9", 5.355556, 18.53)),
    *_family(
        "256APSK",
        ("29/45-L", 5.065690, 16.98), ("2/3-L", 5.241514, 17.24), ("31/45-L", 5.417338, 18.10),
        ("11/15-L", 5.768987, 18.84), ("32/45", 5.593162, 18.59), ("3/4", 5.900855, 19.57),
    ),
    ),
)  # fmt: skip
"""ETSI EN 302 307-2, Table 20a: normal frame, AWGN, frame error rate 1e-5, beside those of DVB-S2.

As two independent transcriptions give them; the tests check the efficiencies by the frame.
"""

CCSDS_131_2 = Modcods(
    "CCSDS 131.2-B, thresholds computed",
    (
    *_family(
        "QPSK",
        ("ACM1", 0.709113, -0.99), ("ACM2", 0.856897, 0.12), ("ACM3", 1.034236, 1.33),
        ("ACM4", 1.211576, 2.46), ("ACM5", 1.388916, 3.58), ("ACM6", 1.625369, 5.20),
    ),
    *_family(
        "8PSK",
        ("ACM7", 1.388916, 3.33), ("ACM8", 1.625369, 4.63), ("ACM9", 1.832266, 5.76),
        ("ACM10", 2.098276, 7.24), ("ACM11", 2.364286, 8.81), ("ACM12", 2.630296, 10.59),
    ),
    *_family(
        "16APSK",
        ("ACM13", 2.364286, 7.55), ("ACM14", 2.630296, 8.67), ("ACM15", 2.896305, 9.80),
        ("ACM16", 3.191872, 11.12), ("ACM17", 3.487438, 12.62),
    ),
    *_family(
        "32APSK",
        ("ACM18", 3.191872, 10.43), ("ACM19", 3.487438, 11.52), ("ACM20", 3.812562, 12.74),
        ("ACM21", 4.108128, 13.93), ("ACM22", 4.433251, 15.44),
    ),
    *_family(
        "64APSK",
        ("ACM23", 4.108128, 13.85), ("ACM24", 4.433251, 14.99), ("ACM25", 4.758374, 16.15),
        ("ACM26", 5.053941, 17.25), ("ACM27", 5.379064, 18.60),
    ),
    ),
)  # fmt: skip
"""The 27 ACM formats (SCCC) of CCSDS 131.2-B-1: 16 codewords of 8,100 symbols and a header of 320.

The standard gives no thresholds, and those of its informational report could not be checked. These
are computed: the Es/N0 at which the constellation's capacity is the bits that a symbol of the
codeword carries, and 0.9 dB, which is the median of what DVB-S2's 28 published thresholds (packet
error rate 1e-7) lie above the same capacity, 0.6 … 1.5 dB. Measured ones can be given as a file.
"""

TABLES = {"dvb-s2": DVB_S2, "dvb-s2x": DVB_S2X, "ccsds-131.2": CCSDS_131_2}
_COLUMNS = ("name", "efficiency", "es_n0_db")


def read_modcods(source: str) -> Modcods:
    """Read a table of a standard by its name, or a CSV with name, efficiency, es_n0_db.

    Raises
    ------
    SemlossError
        When there is neither, or the file's rows are no table of MODCODs.
    """
    if source.lower() in TABLES:
        return TABLES[source.lower()]
    path = Path(source)
    if path.suffix.lower() != ".csv" and not path.exists():
        raise SemlossError(
            f"no MODCODs {source!r}: name {', '.join(TABLES)}, or a CSV with columns "
            f"{', '.join(_COLUMNS)}"
        )
    rows = csv_rows(path, "MODCODs")
    if not rows or any(name not in rows[0] for name in _COLUMNS):
        raise SemlossError(f"{path}: a table of MODCODs has columns {', '.join(_COLUMNS)}")
    return Modcods(f"{path}", tuple(_read(rows, path)))


def _read(rows: Iterable[dict[str, str]], path: Path) -> Iterable[ModCod]:
    for row in rows:
        numbers = []
        for column in _COLUMNS[1:]:
            try:
                value = float(row[column])
            except (TypeError, ValueError):
                value = math.nan
            if not math.isfinite(value):
                raise SemlossError(
                    f"{path}: {row['name']} has {column} = {row[column]!r}; give a number"
                )
            numbers.append(value)
        yield ModCod(" ".join((row["name"] or "").split()), *numbers)


def modcod(name: str, table: Modcods = DVB_S2) -> ModCod:
    """Look a MODCOD up by its name, e.g. ``"8PSK 3/4"``.

    Raises
    ------
    SemlossError
        When there is none of that name.
    """
    wanted = name.upper().split()
    for candidate in table.entries:
        if candidate.name.upper().split() == wanted:
            return candidate
    example = table.entries[len(table.entries) // 2].name
    raise SemlossError(
        f'modcod = {name!r}: {table.name} has none of this name; write e.g. "{example}"'
    )


def best_modcod(snr_db: float, margin_db: float = 0.0, table: Modcods = DVB_S2) -> ModCod | None:
    """Most efficient MODCOD that is quasi error free at an SNR less a margin [dB]; None if none.

    The thresholds do not rise with the efficiency throughout (8PSK 8/9 needs more SNR than the
    as efficient 16APSK 2/3), so all feasible ones compete.
    """
    feasible = [m for m in table.entries if m.es_n0_db + margin_db <= snr_db]
    return max(feasible, key=lambda m: m.efficiency, default=None)


def efficiency(snr_db: ArrayLike, margin_db: float = 0.0, table: Modcods = DVB_S2) -> Array:
    """Bits per symbol of `best_modcod` at each SNR [dB]; 0 where no MODCOD closes."""
    steps = staircase(margin_db, table)
    index = np.searchsorted([m.es_n0_db + margin_db for m in steps], np.asarray(snr_db), "right")
    return np.array([0.0, *(m.efficiency for m in steps)])[index]


def staircase(margin_db: float = 0.0, table: Modcods = DVB_S2) -> tuple[ModCod, ...]:
    """MODCODs that are best somewhere, by rising threshold and so by rising efficiency."""
    steps = (m for m in table.entries if best_modcod(m.es_n0_db + margin_db, margin_db, table) is m)
    return tuple(sorted(steps, key=lambda m: m.es_n0_db))


def snr_for_efficiency(needed: ArrayLike, margin_db: float = 0.0, table: Modcods = DVB_S2) -> Array:
    """Lowest SNR [dB] at which some MODCOD carries `needed` bits per symbol; inf where none."""
    steps = staircase(margin_db, table)
    thresholds = np.array([*(m.es_n0_db + margin_db for m in steps), np.inf])
    return thresholds[np.searchsorted([m.efficiency for m in steps], np.asarray(needed), "left")]


def shannon(snr_db: ArrayLike) -> Array:
    """Capacity of the complex AWGN channel, log2(1 + Es/N0), in bits per symbol."""
    return np.log1p(10 ** (np.asarray(snr_db, dtype=np.float64) / 10)) / math.log(2.0)
