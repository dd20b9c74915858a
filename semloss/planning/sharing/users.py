"""Who shares a link, and what: users and pool, read from USERS.toml."""

import difflib
import math
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from semloss.errors import SemlossError
from semloss.planning.budget.budget import budget_of, samples_per_image
from semloss.planning.link.link import LinkData
from semloss.planning.link.template import link_path
from semloss.surfaces.files.fit_file import load
from semloss.surfaces.files.shipped import fit_path, shipped_names
from semloss.surfaces.fitted.fit import Fit

TEMPLATE = """\
# Users of one link, for `semloss plan allocate USERS.toml`. CR = k/n; SNR = Es/N0 in dB.

[pool]
total_power_w = 4.0           # or total_power_dbw
bandwidth_mhz = 0.96
subbands = 12                 # equal sub-bands that are dealt out
roll_off = 0.2                # symbol rate = bandwidth / (1 + roll_off)
objective = "performance"     # maximise the smallest weight x score (weight < 1 asks for more);
                              # "loss": minimise the greatest weight x (1 - score)
criterion = "worst"           # performance of a user: in its "worst" channel state, in the worst
                              # but for an "outage", or "expected" over the states
outage_probability = 0.01     # for criterion = "outage"

[[user]]
name = "harbour"
fit = "eurosat-accuracy"      # fit file of its task, relative to this file, or one of semloss fits
weight = 1.0
target = 0.60                 # needed for --least-power only
c_n0_dbhz_at_1w = 60.0        # C/N0 that 1 W of transmit power brings (or: link = "link.toml")
images_per_s = 100.0
bands = 3
height_px = 64
width_px = 64
states = [[0.0, 0.90], [-3.0, 0.08], [-8.0, 0.02]]   # [change of C/N0 in dB, probability]
# floor = 0.1                 # metric of score 0 and of score 1, where the fit does not know them
# ceiling = 0.95

[[user]]
name = "forest watch"
fit = "eurosat-psnr"
weight = 0.8
target = 30.0
c_n0_dbhz_at_1w = 56.0
images_per_s = 60.0
floor = 8.0
ceiling = 40.0
"""


@dataclass(frozen=True, kw_only=True)
class Pool:
    """What is shared, and what is optimised.

    Attributes
    ----------
    total_power_w
        Power limit [W], > 0; inf where only the least power is asked.
    bandwidth_hz, subbands, roll_off
        Bandwidth [Hz], the number of equal sub-bands, and the roll-off of the pulse shape.
    objective
        "performance" or "loss", see `semloss.planning.sharing.allocation`.
    criterion, outage_probability
        "worst", "outage" or "expected", and the probability that an outage may have.
    """

    bandwidth_hz: float
    subbands: int
    total_power_w: float = math.inf
    roll_off: float = 0.2
    objective: str = "performance"
    criterion: str = "worst"
    outage_probability: float = 0.01

    def __post_init__(self) -> None:
        for name, good, mend in (
            ("total_power_w", self.total_power_w > 0, "give a power above 0 W"),
            ("bandwidth_hz", 0 < self.bandwidth_hz < math.inf, "give a bandwidth above 0 Hz"),
            ("subbands", 1 <= self.subbands <= 4096, "1 … 4096"),
            ("roll_off", 0 <= self.roll_off <= 1, "0 … 1"),
            ("objective", self.objective in ("performance", "loss"), '"performance" or "loss"'),
            ("criterion", self.criterion in ("worst", "outage", "expected"),
             '"worst", "outage" or "expected"'),
            ("outage_probability", 0 <= self.outage_probability < 1, "0 … below 1"),
        ):  # fmt: skip
            if not good:
                raise SemlossError(f"pool.{name} = {getattr(self, name)!r}: {mend}")


@dataclass(frozen=True, kw_only=True)
class User:
    """A ground user with a task.

    Attributes
    ----------
    name, fit, weight
        Its name, the fit of its task and its weight (> 0).
    c_n0_dbhz_at_1w
        C/N0 [dB-Hz] that 1 W brings in the state of offset 0 dB.
    images_per_s, samples_per_image
        What it must be sent: images each second, of so many source samples.
    offsets_db, probabilities
        (S,) channel states: change of C/N0 [dB] and probability, which is scaled to sum 1.
    floor, ceiling
        Metric of score 0 and of score 1; by default those that the fit knows.
    target
        Value that the metric must meet, for the least power.
    """

    name: str
    fit: Fit
    c_n0_dbhz_at_1w: float
    images_per_s: float
    samples_per_image: float
    weight: float = 1.0
    offsets_db: Sequence[float] = (0.0,)
    probabilities: Sequence[float] = (1.0,)
    floor: float | None = None
    ceiling: float | None = None
    target: float | None = None

    def __post_init__(self) -> None:
        for name in ("weight", "images_per_s", "samples_per_image"):
            if not 0 < getattr(self, name) < math.inf:
                raise self.complaint(f"{name} = {getattr(self, name)!r}: give a number above 0")
        if not math.isfinite(self.c_n0_dbhz_at_1w):
            raise self.complaint(f"c_n0_dbhz_at_1w = {self.c_n0_dbhz_at_1w}: give a finite C/N0")
        if len(self.offsets_db) != len(self.probabilities) or not len(self.offsets_db):
            raise self.complaint("states: each is [change of C/N0 in dB, probability]")
        states = np.array([self.offsets_db, self.probabilities], dtype=np.float64)
        if not np.all(np.isfinite(states)) or states[1].min() < 0 or states[1].sum() <= 0:
            raise self.complaint("states: finite changes in dB; probabilities >= 0, not all 0")

    def complaint(self, what: str) -> SemlossError:
        """Error that names the user."""
        return SemlossError(f"user {self.name}: {what}")

    @property
    def scale(self) -> tuple[float, float]:
        """Metric of score 0 and of score 1.

        Raises
        ------
        SemlossError
            When neither the user nor its fit tells them.
        """
        floor = self.fit.floor if self.floor is None else self.floor
        ceiling = self.fit.ceiling if self.ceiling is None else self.ceiling
        if (
            floor is None
            or ceiling is None
            or floor == ceiling
            or (ceiling > floor) != (self.fit.sign > 0)
        ):
            raise self.complaint(
                f"{self.fit.metric} has floor {floor} and ceiling {ceiling}, no scale to weigh "
                "tasks on; give floor (metric of score 0) and ceiling (metric of score 1)"
            )
        return float(floor), float(ceiling)


def read_users(path: Path | str) -> tuple[list[User], Pool]:
    """Read USERS.toml; fit and link files are found relative to it.

    Raises
    ------
    SemlossError
        When a file cannot be read or a key is unknown, missing or of the wrong kind.
    """
    path = Path(path)
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SemlossError(f"cannot read {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SemlossError(f"{path} is not TOML: {error}") from None
    try:
        _refuse_unknown(document, ("pool", "user"), "")
        pool = _pool(_table(document, "pool"))
        entries = document.get("user")
        if not isinstance(entries, list) or not entries:
            raise SemlossError("no [[user]]: give each user a table [[user]]")
        fits: dict[Path, Fit] = {}
        users = [_user(entry, i, path.parent, fits) for i, entry in enumerate(entries)]
    except SemlossError as error:
        raise SemlossError(f"{path}: {error}") from None
    return users, pool


def _pool(table: Mapping[str, Any]) -> Pool:
    options = {f.name: f.default for f in fields(Pool)}
    known = {*options, "total_power_dbw", "bandwidth_mhz"} - {"bandwidth_hz"}
    _refuse_unknown(table, known, "pool.")
    given = dict(table)
    if "total_power_dbw" in given:
        if "total_power_w" in given:
            raise SemlossError("pool: give total_power_w or total_power_dbw, not both")
        given["total_power_w"] = 10 ** (_number(given, "total_power_dbw", "pool.") / 10)
        del given["total_power_dbw"]
    if "subbands" in given and type(given["subbands"]) is not int:
        raise SemlossError(f"pool.subbands = {given['subbands']!r}: give a whole number")
    for name in ("total_power_w", "bandwidth_mhz", "roll_off", "outage_probability"):
        if name in given or name == "bandwidth_mhz":
            given[name] = _number(given, name, "pool.")
    if "subbands" not in given:
        raise SemlossError("pool.subbands: this key is required")
    given["bandwidth_hz"] = 1e6 * given.pop("bandwidth_mhz")
    return Pool(**given)


_LARGEST = 1e12
_LIMITS = {
    "total_power_dbw": (-120, 120), "total_power_w": (1e-12, 1e12), "bandwidth_mhz": (1e-6, 1e6),
    "c_n0_dbhz_at_1w": (-100, 300), "images_per_s": (1e-9, 1e12), "bands": (1, 1e4),
    "height_px": (1, 1e6), "width_px": (1, 1e6), "weight": (1e-9, 1e9),
}  # fmt: skip
"""Ranges of the numbers in USERS.toml that need one."""
_USER_KEYS = (
    "name", "fit", "weight", "target", "c_n0_dbhz_at_1w", "link", "images_per_s", "bands",
    "height_px", "width_px", "states", "floor", "ceiling",
)  # fmt: skip


def _user(table: Any, index: int, folder: Path, fits: dict[Path, Fit]) -> User:  # noqa: ANN401
    if not isinstance(table, dict):
        raise SemlossError("user: give each user a table [[user]]")
    name = str(table.get("name", f"user {index + 1}"))
    where = f"user {name}: "
    _refuse_unknown(table, _USER_KEYS, where)
    fit = table.get("fit")
    if not isinstance(fit, str):
        raise SemlossError(f"{where}fit: give the path of its fit file")
    place = folder / fit
    if not place.exists():
        place = fit_path(fit) if fit in shipped_names() else place
    if place not in fits:
        fits[place] = load(place)
    if ("link" in table) == ("c_n0_dbhz_at_1w" in table):
        raise SemlossError(f"{where}give c_n0_dbhz_at_1w or link, one of them")
    shape = {"bands": 3.0, "height_px": 64.0, "width_px": 64.0}
    if "link" in table:
        link = _link(folder, str(table["link"]))
        at_1w = c_n0_at_1w(link, where)
        samples = float(samples_per_image(link))
    else:
        at_1w = _number(table, "c_n0_dbhz_at_1w", where)
        samples = math.prod(_number({**shape, **table}, key, where) for key in shape)
    states = table.get("states", [[0.0, 1.0]])
    if not isinstance(states, list) or not all(
        isinstance(s, list) and len(s) == 2 and all(_is_number(x) for x in s) for s in states
    ):
        raise SemlossError(f"{where}states: a list of [change of C/N0 in dB, probability]")
    return User(
        name=name,
        fit=fits[place],
        c_n0_dbhz_at_1w=at_1w,
        images_per_s=_number(table, "images_per_s", where),
        samples_per_image=samples,
        offsets_db=[float(s[0]) for s in states],
        probabilities=[float(s[1]) for s in states],
        **{
            key: _number(table, key, where)
            for key in ("weight", "target", "floor", "ceiling")
            if key in table
        },
    )


def _link(folder: Path, name: str) -> LinkData:
    """Link of a file beside the users', or a preset."""
    beside = folder / name
    return LinkData.from_toml(beside if beside.exists() else link_path(name))


def c_n0_at_1w(link: LinkData, where: str = "") -> float:
    """C/N0 [dB-Hz] of a link at 1 W, less its implementation loss.

    Raises
    ------
    SemlossError
        When the link gives its EIRP instead of its power, or an interference that does not scale.
    """
    if link.power_dbw is None:
        raise SemlossError(f"{where}link gives no power_dbw, so the share of power means nothing")
    if link.c_over_i_db is not None:
        raise SemlossError(f"{where}link has c_over_i_db, which does not follow the power shared")
    return float(budget_of(link).c_n0_dbhz) - link.power_dbw - link.implementation_loss_db


def _table(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    table = document.get(name)
    if not isinstance(table, dict):
        raise SemlossError(f"no table [{name}]; see semloss plan allocate --template")
    return table


def _refuse_unknown(table: Mapping[str, Any], known: Iterable[str], where: str) -> None:
    names = sorted(known)
    for name in table:
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            mend = f"did you mean {near[0]}?" if near else f"known keys: {', '.join(names)}"
            raise SemlossError(f"{where}{name}: unknown key; {mend}")


def _is_number(value: Any) -> bool:  # noqa: ANN401 - whatever the file holds
    known = isinstance(value, int | float) and not isinstance(value, bool)
    return known and abs(value) <= _LARGEST


def _number(table: Mapping[str, Any], key: str, where: str) -> float:
    if key not in table:
        raise SemlossError(f"{where}{key}: this key is required")
    low, high = _LIMITS.get(key, (-_LARGEST, _LARGEST))
    if not (_is_number(table[key]) and low <= table[key] <= high):
        shown = f"{table[key]!r}"[:40]
        raise SemlossError(f"{where}{key} = {shown}: give a number, {low:g} … {high:g}")
    return float(table[key])
