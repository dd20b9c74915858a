"""Many points of a link put to a fit at once: the step that batches, sweeps and studies share."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semloss.arrays import Array
from semloss.errors import SemlossError
from semloss.planning.budget.budget import budget_of, rate_kept, samples_per_image
from semloss.planning.budget.inverse import cr_for, snr_for
from semloss.planning.link.link import LinkData
from semloss.surfaces.fitted.fit import Fit

ASKED = ("cr", "snr_db", "target")
IMAGE = ("bands", "height_px", "width_px", "tile_px")
"""Fields of the link that size an image; they do not enter its budget."""


@dataclass(frozen=True)
class Defaults:
    """What a point that leaves it open is asked with.

    Two of CR, SNR and target are needed; a link gives the SNR where `snr_db` does not, and its
    own CR where `cr` does not. `interval` is the confidence level of the bands.
    """

    fit: Fit
    link: LinkData | None = None
    cr: float | None = None
    snr_db: float | None = None
    target: float | None = None
    interval: float = 0.95


def evaluate(given: Mapping[str, Array], defaults: Defaults) -> dict[str, Array]:
    """Answer N points together.

    Parameters
    ----------
    given
        (N,) arrays by name: `cr`, `snr_db`, `target` and numeric fields of the link.
    defaults
        Fit, link and what `given` leaves open.

    Returns
    -------
    dict
        (N,) arrays: cr, snr_db, value, low, high, in_domain; with a target also target,
        required_snr_db (nan where no fitted SNR reaches it), snr_margin_db and met (the link's
        margin is left, and its images_per_s are sent); with a link c_n0_dbhz and images_per_s.
        Where the CR or SNR that is solved for is out of reach, it is nan, and all that follows
        from it is nan and false.

    Raises
    ------
    SemlossError
        When too little is given, or a field is unknown or out of its range.
    """
    fit, link = defaults.fit, defaults.link
    size = max((len(array) for array in given.values()), default=1)

    def full(name: str, default: float | None) -> Array | None:
        value = given.get(name, default)
        return None if value is None else np.broadcast_to(np.asarray(value, float), (size,))

    columns: dict[str, Array] = {}
    cr, snr, target = full("cr", defaults.cr), full("snr_db", defaults.snr_db), None
    target = full("target", defaults.target)
    keep, images = np.zeros(size), None
    if link is not None:
        fields = {k: v for k, v in given.items() if k not in (*ASKED, *IMAGE)}
        budget = budget_of(link, **fields)
        rows = {
            name: np.broadcast_to(getattr(budget, name), (size,))
            for name in ("c_n0_dbhz", "snr_db", "symbol_rate_hz")
        }
        columns["c_n0_dbhz"] = rows["c_n0_dbhz"]
        cr = full("cr", link.cr) if cr is None else cr
        snr = rows["snr_db"] if snr is None else snr
        keep = np.broadcast_to(given.get("margin_db", link.margin_db), (size,))
        share = np.broadcast_to(given.get("frame_efficiency", link.frame_efficiency), (size,))
        images = rows["symbol_rate_hz"] * share / _samples(link, given, size)
    elif set(given) - set(ASKED):
        name = next(name for name in given if name not in ASKED)
        raise SemlossError(f"{name} is a field of the link, and no link is given")
    if target is None and cr is not None and snr is not None:
        pass
    elif target is None or (cr is None and snr is None):
        raise SemlossError("a point takes two of cr, snr_db (or a link) and target")
    if snr is not None and not np.all(np.isfinite(snr)):
        raise SemlossError("the link gives no SNR: give bandwidth_mhz, or snr_db")
    if cr is None and snr is not None:
        cr = cr_for(fit, _known(target), snr - keep)
    elif snr is None and cr is not None:
        snr = snr_for(fit, _known(target), cr) + keep
    columns |= _answers(_known(cr), _known(snr), target, keep, defaults)
    if images is not None:
        columns["images_per_s"] = images / columns["cr"]
        if "met" in columns:
            columns["met"] = np.logical_and(columns["met"], rates_met(columns, defaults))
    return columns


def rates_met(columns: Mapping[str, Array], defaults: Defaults) -> NDArray[np.bool_] | bool:
    """Whether points send as many images a second as the link is asked to."""
    asked = None if defaults.link is None else defaults.link.images_per_s
    return asked is None or rate_kept(columns["images_per_s"], asked)


def _known(array: Array | None) -> Array:
    assert array is not None, "two of CR, SNR and target are given, and the third is solved"
    return array


def _answers(
    cr: Array, snr_db: Array, target: Array | None, keep: Array, defaults: Defaults
) -> dict[str, Array]:
    """Metric and margin at points, of which some may be nan for being out of reach."""
    good = np.isfinite(cr) & np.isfinite(snr_db)

    def spread(values: NDArray[Any], empty: float | bool) -> NDArray[Any]:
        column = np.full(good.shape, empty)
        column[good] = values
        return column

    columns = {"cr": cr, "snr_db": snr_db}
    if target is not None:
        columns["target"] = target
    if not good.any():
        nothing = np.full(good.shape, np.nan)
        names = ("value", "low", "high", "required_snr_db", "snr_margin_db")
        return columns | dict.fromkeys(names, nothing) | {"in_domain": good, "met": good}
    point = defaults.fit.predict(cr=cr[good], snr_db=snr_db[good], interval=defaults.interval)
    for name in ("value", "low", "high"):
        columns[name] = spread(getattr(point, name), np.nan)
    columns["in_domain"] = spread(point.in_domain, False)
    if target is not None:
        required = spread(snr_for(defaults.fit, target[good], cr[good]), np.nan)
        margin = snr_db - required
        columns |= {"required_snr_db": required, "snr_margin_db": margin,
                    "met": np.nan_to_num(margin, nan=-np.inf) >= keep - 1e-9}  # fmt: skip
    return columns


def _samples(link: LinkData, given: Mapping[str, Array], size: int) -> Array:
    """Source samples n of an image at each point."""
    changed = {name: given[name] for name in IMAGE if name in given}
    if not changed:
        return np.full(size, float(samples_per_image(link)))
    every = [dict(zip(changed, row, strict=True)) for row in zip(*changed.values(), strict=True)]
    return np.array(
        [samples_per_image(link.replace(**{k: int(v) for k, v in one.items()})) for one in every],
        dtype=np.float64,
    )
