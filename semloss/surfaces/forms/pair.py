"""Two mechanisms side by side: the richest closed form of the ladder."""

import numpy as np

from semloss.arrays import Array
from semloss.surfaces.forms.base import Form, Parameter, register
from semloss.surfaces.forms.logistic import Additive, logistic
from semloss.surfaces.forms.unified import SHIFT, Unified

_COUNT = len(Unified.parameters)
MIX = Parameter("mix", "1", 0.0, 1.0, "the first mechanism's part of the range", natural=True,
                latex="w")  # fmt: skip
SECOND = (
    Parameter("second_half_db", "dB", -60.0, 60.0, "SNR of the second's half gain at CR 1/12",
              latex="m_2"),
    Parameter("second_slope_per_db", "1/dB", 2e-3, 5.0, "the second's steepness", log=True,
              latex=r"\kappa_2"),
    Parameter("second_shift_db", SHIFT.unit, 0.0, 40.0,
              "SNR that an e-fold of CR is worth to the second", natural=True, latex="d_2"),
)  # fmt: skip


@register
class Pair(Form):
    r"""Weighted sum of `unified` and a second logistic in (ln CR, SNR), ours.

    For tables large enough to tell two populations apart, e.g. images or classes that survive a
    poor link and others that need a good one. w (`mix`) is the part of `unified`. A weighted sum
    of monotone forms is monotone. Limits: floor as SNR -> -inf or CR -> 0; as SNR -> inf,
    1 - w plus w times the rate-limited ceiling.
    """

    name = "pair"
    summary = "unified plus a second logistic: two mechanisms side by side"
    parameters = (*Unified.parameters, MIX, *SECOND)
    expression = MIX.symbol * Unified.expression + (1.0 - MIX.symbol) * logistic(
        SECOND[1], SECOND[0], SECOND[2]
    )

    def __init__(self) -> None:
        self._first, self._second = Unified(), Additive()

    def slopes(self, x: Array, snr_db: Array, shape: Array) -> tuple[Array, Array]:
        """Gain and its derivatives with respect to the shape parameters."""
        mix = shape[..., _COUNT, None]
        first, by_first = self._first.slopes(x, snr_db, shape[..., :_COUNT])
        second, by_second = self._second.slopes(x, snr_db, shape[..., _COUNT + 1 :])
        by_first *= mix[..., None]
        by_second *= 1.0 - mix[..., None]
        rows = [by_first, (first - second)[..., None, :], by_second]
        return mix * first + (1.0 - mix) * second, np.concatenate(rows, axis=-2)
