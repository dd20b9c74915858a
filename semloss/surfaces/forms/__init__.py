"""Forms of metric = f(CR, SNR), from simple to rich; importing this package fills the ladder."""

from semloss.surfaces.forms import capacity, classic, logistic, pair, unified
from semloss.surfaces.forms.base import FORMS, Form, Parameter, ladder, register

__all__ = [
    "FORMS", "Form", "Parameter", "capacity", "classic", "ladder", "logistic", "pair",
    "register", "unified",
]  # fmt: skip
