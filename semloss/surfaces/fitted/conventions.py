"""What the numbers of a fit mean, in words."""

from semloss.surfaces.fitted.data import FitData


def conventions(fit: FitData) -> dict[str, str]:
    """What the numbers of a fit mean, one sentence per quantity."""
    receiver = fit.receiver
    answers = "" if receiver == "none" else f" of the task model ({receiver})"
    levels = {
        name: "unknown, fitted as a parameter" if level is None else f"{level:g}, known"
        for name, level in (("floor", fit.floor), ("ceiling", fit.ceiling))
    }
    return {
        "cr": "CR = k/n: complex channel uses per real source sample, 0 < CR <= 1",
        "snr_db": "Es/N0 in dB per complex symbol, average transmit power 1 per symbol",
        "value": f"{fit.metric}{answers}, mean over the test images of a cell; "
        f"{fit.direction} is better",
        "floor": f"{fit.metric} when nothing gets through: {levels['floor']}",
        "ceiling": f"{fit.metric} at its best (clean images): {levels['ceiling']}",
        "hull": "[ln CR, snr_db] vertices of the convex hull of the fitted cells",
    }
