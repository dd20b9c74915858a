"""Passes of a satellite over a ground station: circular orbits in closed form.

The Earth is a sphere of 6371 km and the station stands at mean sea level. With the central angle
λ between sub-satellite point and station, the geometry is that of Wertz and Larson, Space Mission
Analysis and Design (3rd ed., section 5.3): ``cos λ = cos λ0 · cos(ω t)`` along a pass whose
closest approach is λ0.
"""

import math
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import ArrayLike

from semloss.arrays import Array
from semloss.errors import SemlossError
from semloss.planning.propagation.geometry import EARTH_RADIUS_KM

_MU_KM3_S2 = 398_600.4418
_EARTH_RATE_RAD_S = 7.292_115e-5
_J2 = 1.082_63e-3
_EQUATOR_KM = 6378.137
_DAY_S = 86_400.0
_TROPICAL_YEAR_S = 365.2422 * _DAY_S
_HEIGHTS_KM = (100.0, 20_000.0)
_MOST_SAMPLES = 1_000_000
_NODES = 12
"""Gauss-Legendre nodes on each side of the station, over the node's longitude."""


@dataclass(frozen=True)
class Pass:
    """One pass, sampled in time from rise to set.

    Attributes
    ----------
    time_s
        Seconds (T,) since the satellite rose above the lowest elevation.
    elevation_deg, range_km
        Elevation (T,) above the horizon without refraction, and distance (T,).
    azimuth_deg
        Clockwise from north (T,); None where the ground track's direction is not told.
    about
        One line for titles.
    start
        UTC of the rise; None for a pass that belongs to no date.
    per_day
        How many passes like this one there are a day, on average; None where not known.
    notes
        What a reader should know about it, e.g. an old element set.
    """

    time_s: Array
    elevation_deg: Array
    range_km: Array
    azimuth_deg: Array | None = None
    about: str = ""
    start: datetime | None = None
    per_day: float | None = None
    notes: tuple[str, ...] = ()

    @property
    def duration_s(self) -> float:
        """Time above the lowest elevation."""
        return float(self.time_s[-1] - self.time_s[0])

    @property
    def step_s(self) -> float:
        """Longest step between samples; what is delivered counts whole steps."""
        return float(np.diff(self.time_s).max())

    @property
    def max_elevation_deg(self) -> float:
        """Largest sampled elevation."""
        return float(self.elevation_deg.max())

    @property
    def weight_s(self) -> Array:
        """Seconds (T,) that each sample stands for (trapezoidal rule); they add to the duration."""
        half = 0.5 * np.diff(self.time_s)
        weight: Array = np.append(half, 0.0) + np.append(0.0, half)
        return weight


def circular_pass(
    height_km: float,
    max_elevation_deg: float,
    min_elevation_deg: float = 10.0,
    step_s: float = 1.0,
    *,
    inclination_deg: float | None = None,
) -> Pass:
    """Pass of a circular orbit that culminates at a given elevation.

    Parameters
    ----------
    height_km
        Height of the orbit, 100 … 20,000.
    max_elevation_deg, min_elevation_deg
        Elevation at culmination and where contact begins and ends, 0 <= min < max <= 90.
    step_s
        Sampling interval; rise, culmination and set are samples too.
    inclination_deg
        Without it, the Earth does not rotate during the pass. With it, the satellite's angular
        rate is lowered by that of the Earth along its track, ``ω − ω_E cos i``, constant over
        the pass (Ali, Al-Dhahir and Hershey, IEEE Trans. Commun. 46(3), 1998). That changes the
        duration by up to some 7 % in low orbits.

    Raises
    ------
    SemlossError
        When a value is out of range.
    """
    _check(height_km, min_elevation_deg, step_s)
    if not min_elevation_deg < max_elevation_deg <= 90:
        raise SemlossError(
            f"a pass with largest elevation {max_elevation_deg:g} deg does not rise above the "
            f"lowest usable {min_elevation_deg:g} deg; give min < max <= 90"
        )
    rate = orbital_rate_rad_s(height_km)
    if inclination_deg is not None:
        rate -= _EARTH_RATE_RAD_S * math.cos(math.radians(_inclination(inclination_deg)))
    closest = float(central_angle_rad(height_km, max_elevation_deg))
    about = f"circular orbit at {height_km:g} km, culmination {max_elevation_deg:g} deg"
    return _sample(height_km, closest, min_elevation_deg, rate, step_s, about)


def circular_day(
    height_km: float,
    latitude_deg: float,
    min_elevation_deg: float = 10.0,
    step_s: float = 1.0,
    *,
    inclination_deg: float | None = None,
) -> list[Pass]:
    """All kinds of passes that a station sees of a circular orbit, each with its number a day.

    The orbit's node drifts uniformly past the station, so the average over many days is an
    average over the longitude ψ between orbital pole and station. The sine of the closest
    approach is ``q = cos i sin φ + sin i cos φ cos ψ``, and conjunctions come at the rate
    ``(ω − ω_E (cos i − q sin φ)/(1 − q²)) / 2π``: the satellite's rate less that of the station
    along the orbit, which is also the rate at which the pass runs. The integral over the visible
    ψ is Gauss-Legendre; the passes are its nodes and `per_day` their weights.

    Parameters
    ----------
    latitude_deg
        Of the station, north positive.
    inclination_deg
        Of the orbit; by default the sun-synchronous one of that height.

    Returns
    -------
    list of Pass
        Empty where the satellite is never seen. Shares of a day with given passes follow by
        weighting with `per_day`.

    Raises
    ------
    SemlossError
        When a value is out of range.
    """
    _check(height_km, min_elevation_deg, step_s)
    if not -90 <= latitude_deg <= 90:
        raise SemlossError(f"latitude = {latitude_deg:g} deg: lies in -90 … 90, north positive")
    if inclination_deg is None:
        inclination_deg = sun_synchronous_inclination_deg(height_km)
    tilt, latitude = math.radians(_inclination(inclination_deg)), math.radians(latitude_deg)
    fixed, swing = math.cos(tilt) * math.sin(latitude), math.sin(tilt) * math.cos(latitude)
    edge = math.sin(central_angle_rad(height_km, min_elevation_deg))
    about = f"circular orbit at {height_km:g} km, inclination {inclination_deg:.1f} deg"
    passes = []
    for low, high in ((-edge, 0.0), (0.0, edge)):
        if swing < 1e-9:  # every revolution comes equally close
            psi, share = np.zeros(1), np.array([1.0 if low <= fixed < high else 0.0])
        else:
            start, stop = np.arccos(np.clip([(high - fixed) / swing, (low - fixed) / swing], -1, 1))
            node, weight = np.polynomial.legendre.leggauss(_NODES)
            psi = start + (stop - start) * (node + 1) / 2
            share = (stop - start) * weight / 2 / math.pi
        for sine, part in zip(fixed + swing * np.cos(psi), share, strict=True):
            if part <= 0:
                continue
            along = (math.cos(tilt) - sine * math.sin(latitude)) / (1 - sine**2)
            rate = orbital_rate_rad_s(height_km) - _EARTH_RATE_RAD_S * along
            per_day = float(part * rate * _DAY_S / (2 * math.pi))
            closest = math.asin(abs(sine))
            passes.append(
                _sample(height_km, closest, min_elevation_deg, rate, step_s, about, per_day)
            )
    return passes


def orbital_rate_rad_s(height_km: float) -> float:
    """Mean motion of a circular orbit, ``√(μ/(R+h)³)``."""
    return math.sqrt(_MU_KM3_S2 / (EARTH_RADIUS_KM + height_km) ** 3)


def central_angle_rad(height_km: float, elevation_deg: ArrayLike) -> Array:
    """Angle at the Earth's centre from station to sub-satellite point, ``arccos(R cos e/r) − e``.

    Shape as `elevation_deg`.
    """
    elevation = np.radians(np.asarray(elevation_deg, dtype=np.float64))
    ratio = EARTH_RADIUS_KM / (EARTH_RADIUS_KM + height_km)
    angle: Array = np.arccos(ratio * np.cos(elevation)) - elevation
    return angle


def sun_synchronous_inclination_deg(height_km: float) -> float:
    """Inclination at which the node follows the Sun: J2 precession of 360° a tropical year.

    Raises
    ------
    SemlossError
        Above some 5,900 km, where no circular orbit is sun-synchronous.
    """
    radius = EARTH_RADIUS_KM + height_km
    drift = 2 * math.pi / _TROPICAL_YEAR_S
    per_cosine = -1.5 * _J2 * (_EQUATOR_KM / radius) ** 2 * orbital_rate_rad_s(height_km)
    cosine = drift / per_cosine
    if cosine < -1:
        raise SemlossError(
            f"no circular orbit at {height_km:g} km is sun-synchronous; give the inclination"
        )
    return math.degrees(math.acos(cosine))


def _sample(
    height_km: float,
    closest_rad: float,
    min_elevation_deg: float,
    rate_rad_s: float,
    step_s: float,
    about: str,
    per_day: float | None = None,
) -> Pass:
    """Pass with its samples placed symmetrically about culmination, which is one of them."""
    ratio = math.cos(central_angle_rad(height_km, min_elevation_deg)) / math.cos(closest_rad)
    half_s = math.acos(min(ratio, 1.0)) / rate_rad_s
    if 2 * half_s / step_s > _MOST_SAMPLES:
        raise SemlossError(
            f"step_s = {step_s:g}: the pass lasts {2 * half_s:.0f} s, more than {_MOST_SAMPLES:,} "
            f"steps; take longer ones"
        )
    after = np.append(np.arange(0.0, half_s - 1e-9 * step_s, step_s), half_s)
    time = np.concatenate([-after[:0:-1], after])
    cosine = math.cos(closest_rad) * np.cos(rate_rad_s * time)
    sine = np.sqrt(np.maximum(1 - cosine**2, 0.0))
    orbit = EARTH_RADIUS_KM + height_km
    elevation = np.degrees(np.arctan2(cosine - EARTH_RADIUS_KM / orbit, sine))
    distance = np.sqrt(EARTH_RADIUS_KM**2 + orbit**2 - 2 * EARTH_RADIUS_KM * orbit * cosine)
    return Pass(time + half_s, elevation, distance, about=about, per_day=per_day)


def _check(height_km: float, min_elevation_deg: float, step_s: float) -> None:
    low, high = _HEIGHTS_KM
    if not low <= height_km <= high:
        raise SemlossError(f"height_km = {height_km:g}: a passing orbit lies {low:g} … {high:g} km")
    check_contact(min_elevation_deg, step_s)


def check_contact(min_elevation_deg: float, step_s: float) -> None:
    """Refuse a lowest elevation, or a step in time, that is none."""
    if not 0 <= min_elevation_deg < 90:
        raise SemlossError(
            f"lowest elevation = {min_elevation_deg:g} deg: lies in 0 … 90, the horizon being 0"
        )
    if not (math.isfinite(step_s) and step_s > 0):
        raise SemlossError(f"step_s = {step_s:g}: give a positive number of seconds")


def _inclination(inclination_deg: float) -> float:
    if not 0 <= inclination_deg <= 180:
        raise SemlossError(f"inclination = {inclination_deg:g} deg: lies in 0 … 180")
    return inclination_deg
