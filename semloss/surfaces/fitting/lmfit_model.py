"""A form as an lmfit Model, for those who fit by hand, and as the reference of the batch solver."""

from typing import Any

import lmfit
import numpy as np
from numpy.typing import ArrayLike

from semloss.errors import SemlossError
from semloss.selection import Points
from semloss.surfaces.fitting.batch import Problems, levels_of
from semloss.surfaces.fitting.form_fit import bounds
from semloss.surfaces.forms import FORMS


class SurfaceModel(lmfit.Model):  # type: ignore[misc]  # lmfit carries no types
    """lmfit Model of a form.

    ``model.fit(value, model.guess(value, cr=cr, snr_db=snr), cr=cr, snr_db=snr)``.

    Parameters carry the form's bounds; `units` and `meanings` say what they are.

    Parameters
    ----------
    form
        Name of a form in `semloss.surfaces.forms.FORMS`.

    Raises
    ------
    SemlossError
        When there is no such form.
    """

    def __init__(self, form: str) -> None:
        if form not in FORMS:
            raise SemlossError(f"form {form!r}: no such form; there are {', '.join(FORMS)}")
        own = FORMS[form]

        def surface(cr: ArrayLike, snr_db: ArrayLike, **values: float) -> Any:  # noqa: ANN401
            p = np.array([values[name] for name in own.names])
            return own(np.asarray(cr, dtype=float), np.asarray(snr_db, dtype=float), p)

        # lmfit asks a function that takes any keyword for the names it means.
        surface.argnames = ["cr", "snr_db", *own.names]  # type: ignore[attr-defined]
        surface.kwargs = []  # type: ignore[attr-defined]
        super().__init__(surface, independent_vars=["cr", "snr_db"], name=form)
        self.form = own
        self.units = {parameter.name: parameter.unit for parameter in own.all_parameters}
        self.meanings = {parameter.name: parameter.meaning for parameter in own.all_parameters}
        for parameter in own.all_parameters:
            self.set_param_hint(parameter.name, min=parameter.low, max=parameter.high)

    def guess(
        self,
        data: ArrayLike,
        cr: ArrayLike | None = None,
        snr_db: ArrayLike | None = None,
        direction: str = "higher",
        **kwargs: float,
    ) -> lmfit.Parameters:
        """Start values: the form's plain shape, with the best floor and ceiling for it.

        Parameters
        ----------
        data, cr, snr_db
            Metric, CR and SNR (dB) of the measurements, each (N,).
        direction
            Which way the metric improves, ``higher`` or ``lower``.
        kwargs
            Values that replace guessed ones, by parameter name.
        """
        value, ratios, levels = (np.asarray(a, dtype=float) for a in (data, cr, snr_db))
        points = Points("value", "none", direction, ratios, levels, value, np.zeros_like(value))
        low, high = bounds(self.form, points)
        problems = Problems(
            self.form, np.log(ratios), levels, value, np.ones_like(value), low, high
        )
        count = len(self.form.levels)
        shape = np.clip(self.form.guess(ratios, levels), low[count:], high[count:])
        start = levels_of(problems, shape[None])[0][0]
        parameters = self.make_params()
        for name, best, least, most in zip(self.form.names, start, low, high, strict=True):
            parameters[name].set(value=kwargs.get(name, float(best)), min=least, max=most)
        return parameters
