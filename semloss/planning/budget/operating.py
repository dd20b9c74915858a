"""The operating point of an amplifier that a table or a fit was measured through."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from semloss.surfaces.fitted.fit import Fit

_NUMBER = r"-?\d+(?:\.\d+)?(?:e-?\d+)?"
_LABEL = re.compile(
    rf"(?P<model>rapp|saleh)-ibo(?P<back_off>{_NUMBER})dB(?:-p(?P<smooth>{_NUMBER}))?"
    rf"(?:-rolloff(?P<roll_off>{_NUMBER}))?(?:-acpr(?P<limit>{_NUMBER})dBc)?"
    r"(?:-from-(?P<trained_over>.+))?"
)


@dataclass(frozen=True)
class OperatingPoint:
    """What the label of a channel ``amplifier`` tells of it.

    Attributes
    ----------
    label
        As tables have it: "rapp-ibo2dB".
    model, input_back_off_db, smoothness, roll_off, acpr_limit_dbc
        As `semloss.channels.amplifier.Amplifier` has them.
    trained_over
        Channel that its codecs were trained over; "" where that is the amplifier itself.
    """

    label: str
    model: Literal["rapp", "saleh"]
    input_back_off_db: float
    smoothness: float = 2.0
    roll_off: float = 0.25
    acpr_limit_dbc: float | None = None
    trained_over: str = ""

    @classmethod
    def parse(cls, label: str) -> "OperatingPoint | None":
        """Read a channel's label; None where it is of no amplifier."""
        told = _LABEL.fullmatch(label)
        if told is None:
            return None
        limit = told["limit"]
        return cls(
            label,
            "rapp" if told["model"] == "rapp" else "saleh",
            float(told["back_off"]),
            float(told["smooth"] or 2.0),
            float(told["roll_off"] or 0.25),
            None if limit is None else float(limit),
            told["trained_over"] or "",
        )

    @property
    def hardware(self) -> str:
        """The amplifier alone: without its back-off, and whatever codecs were trained over."""
        return re.sub(rf"-ibo{_NUMBER}dB", "", self.label.removesuffix(self._from))

    @property
    def amplifier(self) -> str:
        """The label without its own back-off: points that share it differ in that alone."""
        return self.hardware + self._from

    @property
    def _from(self) -> str:
        return f"-from-{self.trained_over}" if self.trained_over else ""


def operating_point(fit: "Fit") -> OperatingPoint | None:
    """The amplifier that a fit was measured through, whose SNR is that at saturation, or None."""
    return OperatingPoint.parse(str(fit.provenance.get("channel", "")))
