"""Who shares a link, and what: users and pool, read from USERS.toml."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from semloss.errors import SemlossError
from semloss.planning.budget.budget import budget_of, samples_per_image
from semloss.planning.budget.remarks import imagery, remarks
from semloss.planning.link.checks import check_value
from semloss.planning.link.file import read_tables
from semloss.planning.link.keys import Key
from semloss.planning.link.link import DEFAULTS, KEYS, LinkData
from semloss.planning.link.template import link_path
from semloss.storage import read_toml
from semloss.surfaces.files.fit_file import load
from semloss.surfaces.files.shipped import fit_path, shipped_names
from semloss.surfaces.fitted.fit import Fit
from semloss.text import meant


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
    frame_efficiency, margin_db
        Share of the symbols that carry image, and what is kept of the SNR [dB].
    offsets_db, probabilities
        (S,) channel states: change of C/N0 [dB] and probability, which is scaled to sum 1.
    floor, ceiling
        Metric of score 0 and of score 1; by default those that the fit knows.
    target
        Value that the metric must meet, for the least power.
    notes, other_images
        What a reader should know of its link; in what its images are not those of the fit.
    """

    name: str
    fit: Fit
    c_n0_dbhz_at_1w: float
    images_per_s: float
    samples_per_image: float
    frame_efficiency: float = 1.0
    margin_db: float = 0.0
    weight: float = 1.0
    offsets_db: Sequence[float] = (0.0,)
    probabilities: Sequence[float] = (1.0,)
    floor: float | None = None
    ceiling: float | None = None
    target: float | None = None
    notes: tuple[str, ...] = ()
    other_images: str = ""

    def __post_init__(self) -> None:
        for name in ("weight", "images_per_s", "samples_per_image"):
            if not 0 < getattr(self, name) < math.inf:
                raise self.complaint(f"{name} = {getattr(self, name)!r}: give a number above 0")
        if not 0 < self.frame_efficiency <= 1 or not 0 <= self.margin_db <= 50:
            raise self.complaint("frame_efficiency: above 0, up to 1; margin_db: 0 … 50 dB")
        if not math.isfinite(self.c_n0_dbhz_at_1w):
            raise self.complaint(f"c_n0_dbhz_at_1w = {self.c_n0_dbhz_at_1w}: give a finite C/N0")
        if len(self.offsets_db) != len(self.probabilities) or not len(self.offsets_db):
            raise self.complaint("states: each is [change of C/N0 in dB, probability]")
        states = np.array([self.offsets_db, self.probabilities], dtype=np.float64)
        if not np.all(np.isfinite(states)) or states[1].min() < 0 or states[1].sum() <= 0:
            raise self.complaint("states: finite changes in dB; probabilities >= 0, not all 0")

    @property
    def symbols_per_s(self) -> float:
        """Symbols a second for each symbol that a source sample is given: at CR 1."""
        return self.samples_per_image * self.images_per_s / self.frame_efficiency

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


#: Keys of the table [pool] and of each [[user]].
POOL_KEYS = {
    "total_power_w": Key("pool", "limit of the power", "W", 1e-12, 1e12),
    "total_power_dbw": Key("pool", "limit of the power", "dBW", -120, 120),
    "bandwidth_mhz": Key("pool", "bandwidth that is shared", "MHz", 1e-6, 1e6),
    "subbands": Key("pool", "equal sub-bands that are dealt out", "", 1, 4096),
    "roll_off": Key("pool", "of the pulse shape", "", 0, 1),
    "objective": Key("pool", "what is optimised", choices=("performance", "loss")),
    "criterion": Key("pool", "which state counts", choices=("worst", "outage", "expected")),
    "outage_probability": Key("pool", "that an outage may have", "", 0, 1),
}
_IMAGE = {name: KEYS[name] for name in ("bands", "height_px", "width_px")}
_HONOURED = ("images_per_s", "frame_efficiency", "margin_db")
"""Keys of a user that its link gives where the user does not."""
USER_KEYS = {
    "name": KEYS["name"],
    "fit": KEYS["fit"],
    "link": Key("", "link file or preset"),
    "c_n0_dbhz_at_1w": Key("", "C/N0 that 1 W of transmit power brings", "dBHz", -100, 300),
    "images_per_s": Key("", "rate to deliver", "1/s", 1e-9, 1e12),
    "frame_efficiency": KEYS["frame_efficiency"],
    "margin_db": KEYS["margin_db"],
    **_IMAGE,
    "weight": Key("", "of the user", "", 1e-9, 1e9),
    "target": Key("", "value that the metric must meet", "", -1e12, 1e12),
    "floor": Key("", "metric of score 0", "", -1e12, 1e12),
    "ceiling": Key("", "metric of score 1", "", -1e12, 1e12),
}


def users_template() -> str:
    """The commented USERS.toml, which runs as it stands."""
    return Path(__file__).with_name("users.toml").read_text(encoding="utf-8")


def read_users(path: Path | str) -> tuple[list[User], Pool]:
    """Read USERS.toml; fit and link files are found relative to it.

    Raises
    ------
    SemlossError
        When a file cannot be read or a key is unknown, missing or of the wrong kind.
    """
    path = Path(path)
    document = read_toml(path)
    try:
        for name in document:
            if name not in ("pool", "user"):
                raise SemlossError(f"unknown table {name}: {meant(name, ('pool', 'user'))}")
        pool, entries = document.get("pool"), document.get("user")
        if not isinstance(pool, dict):
            raise SemlossError("no table [pool]; see semloss plan allocate --template")
        if not isinstance(entries, list) or not entries:
            raise SemlossError("no [[user]]: give each user a table [[user]]")
        fits: dict[Path, Fit] = {}
        users = [_user(entry, i, path.parent, fits) for i, entry in enumerate(entries)]
        return users, _pool(pool)
    except SemlossError as error:
        raise SemlossError(f"{path}: {error}") from None


def _values(
    keys: Mapping[str, Key], table: Mapping[str, Any], where: str, *needed: str
) -> dict[str, Any]:
    """Values of a table by its keys, as a link file's are read; those `needed` are there."""
    try:
        values = read_tables(keys, table)
        del values["warnings"]  # of a link's keys
        for name, value in values.items():
            check_value(name, value, keys[name])
        for name in needed:
            if name not in values:
                raise SemlossError(f"{name} is missing: give {keys[name].allowed}")
    except SemlossError as error:
        raise SemlossError(f"{where}: {error}") from None
    return values


def _pool(table: Mapping[str, Any]) -> Pool:
    given = _values(POOL_KEYS, table, "pool", "bandwidth_mhz", "subbands")
    if "total_power_dbw" in given:
        if "total_power_w" in given:
            raise SemlossError("pool: give total_power_w or total_power_dbw, not both")
        given["total_power_w"] = 10 ** (given.pop("total_power_dbw") / 10)
    given["bandwidth_hz"] = 1e6 * given.pop("bandwidth_mhz")
    return Pool(**given)


def _user(table: Any, index: int, folder: Path, fits: dict[Path, Fit]) -> User:  # noqa: ANN401
    if not isinstance(table, dict):
        raise SemlossError("user: give each user a table [[user]]")
    where = f"user {table.get('name', index + 1)}"
    states = table.get("states", [[0.0, 1.0]])
    rest = {name: value for name, value in table.items() if name != "states"}
    given = {"name": str(index + 1)} | _values(USER_KEYS, rest, where, "fit")
    link, shape = given.pop("link", None), [given.pop(name, DEFAULTS[name]) for name in _IMAGE]
    if (link is None) == ("c_n0_dbhz_at_1w" not in given):
        raise SemlossError(f"{where}: give c_n0_dbhz_at_1w or link, one of them")
    samples, described = math.prod(shape), None
    if link is not None:
        described = _link(folder, link)
        given["c_n0_dbhz_at_1w"] = c_n0_at_1w(described, f"{where}: ")
        samples = samples_per_image(described)
        own = {name: getattr(described, name) for name in _HONOURED}
        given = {name: value for name, value in own.items() if value is not None} | given
    if not isinstance(states, list) or not all(
        isinstance(s, list) and len(s) == 2 and all(type(x) in (int, float) for x in s)
        for s in states
    ):
        raise SemlossError(f"{where}: states: a list of [change of C/N0 in dB, probability]")
    if "images_per_s" not in given:
        raise SemlossError(f"{where}: images_per_s is missing: give the rate to deliver")
    given["fit"] = _fit(folder, given["fit"], fits)
    if described is not None:
        given["notes"] = _unused(described, given["fit"])
        given["other_images"] = next(imagery(described, given["fit"]), "")
    return User(
        samples_per_image=float(samples), offsets_db=[float(s[0]) for s in states],
        probabilities=[float(s[1]) for s in states], **given,
    )  # fmt: skip


def _unused(link: LinkData, fit: Fit) -> tuple[str, ...]:
    """What to know of a user's link, and which of its keys sharing settles anew."""
    shared = [name for name in ("cr", "bandwidth_mhz") if getattr(link, name) is not None]
    said = f"{' and '.join(shared)} of its link are not used: they are what is shared out"
    return (*remarks(link.replace(cr=None), fit), *([said] if shared else ()))


def _fit(folder: Path, name: str, fits: dict[Path, Fit]) -> Fit:
    """Fit of a file beside the users', or one that ships; each is read once."""
    place = folder / name
    if not place.exists() and name in shipped_names():
        place = fit_path(name)
    if place not in fits:
        fits[place] = load(place)
    return fits[place]


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
