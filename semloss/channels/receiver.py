"""What a real receiver adds to noise: a carrier that is not quite followed, numbers of few bits."""

import math

import torch
from pydantic import Field, FiniteFloat
from torch import Tensor

from semloss.channels.base import CHANNELS, Channel, Reception, complex_normal, noise_power


@CHANNELS.register("carrier")
class Carrier(Channel):
    """y = x exp(jθ) + n with a phase that drifts and wanders; pilots tell it now and then.

    θ of a symbol is that of the last plus 2π `offset` and a Gaussian step of variance 2π
    `linewidth` (a Wiener process, as of a free-running oscillator), starting anywhere. Before
    each `pilot_every` symbols, and at the end, a pilot of unit power is sent; the receiver takes
    the phase of each as it is heard, noise included, unwraps them and turns the symbols between
    two back by what lies on the straight line. Pilots are channel uses: the CR of a cell counts
    them (`on_air`). What is left of the phase has a variance of π `linewidth` (`pilot_every` + 2)/3
    rad² by the wander between pilots, and about N0/3 by their noise, while both are small.

    Attributes
    ----------
    linewidth
        Full width of the oscillator's line in symbol rates.
    offset
        Carrier's offset in symbol rates, in (-1/2, 1/2); beyond half a turn between two pilots
        it is taken for another one.
    pilot_every
        Symbols between two pilots.
    """

    linewidth: float = Field(default=1e-4, ge=0.0, le=0.1)
    offset: FiniteFloat = Field(default=1e-4, gt=-0.5, lt=0.5)
    pilot_every: int = Field(default=32, ge=1, le=100_000)

    def on_air(self, symbols: int) -> int:
        """Channel uses for so many symbols: one pilot before each run of them, and a last one."""
        return symbols + math.ceil(symbols / self.pilot_every) + 1

    def propagate(
        self, symbols: Tensor, snr_db: float | Tensor, generator: torch.Generator
    ) -> Reception:
        """Turn, add noise, turn back by what the pilots tell; see `Channel.propagate`."""
        batch, length = symbols.shape
        device, uses = symbols.device, self.on_air(length)
        at = torch.arange(uses, device=device)
        pilot = at % (self.pilot_every + 1) == 0
        pilot[-1] = True
        steps = torch.randn((batch, uses), generator=generator, device=generator.device).to(device)
        start = 2 * math.pi * torch.rand((batch, 1), generator=generator, device=generator.device)
        wander = math.sqrt(2 * math.pi * self.linewidth) * steps.cumsum(1)
        phase = start.to(device) + wander + 2 * math.pi * self.offset * at
        noise = complex_normal((batch, uses), noise_power(snr_db, symbols), generator, device)
        sent = torch.ones((batch, uses), dtype=symbols.dtype, device=device)
        sent = sent.masked_scatter(~pilot, symbols)
        received = sent * torch.polar(torch.ones_like(phase), phase) + noise
        heard = received[:, pilot]
        turns = torch.angle(heard[:, 1:] * heard[:, :-1].conj()).cumsum(1)
        known = torch.angle(heard[:, :1]) + torch.nn.functional.pad(turns, (1, 0))
        where = at[pilot]
        left = (pilot.cumsum(0) - 1)[~pilot]
        share = (at[~pilot] - where[left]) / (where[left + 1] - where[left])
        line = known[:, left] + share * (known[:, left + 1] - known[:, left])
        return Reception(received[:, ~pilot] * torch.polar(torch.ones_like(line), -line))

    @property
    def label(self) -> str:
        """All it is made of: "carrier-lw0.0001-cfo0.0001-pilot32"."""
        return f"carrier-lw{self.linewidth:g}-cfo{self.offset:g}-pilot{self.pilot_every}"


@CHANNELS.register("quantised")
class Quantised(Channel):
    """AWGN, then I and Q each rounded to `bits` bits.

    The converter has 2^bits levels, half a step off zero, out to `full_scale` times the mean
    amplitude of what it hears, which an ideal gain control knows: sqrt((1 + N0)/2) in each of I
    and Q. Beyond, it clips. The gradient passes rounding as if it were not there, and clipping not
    at all.

    Attributes
    ----------
    bits
        Of each of I and Q.
    full_scale
        Largest number over the root-mean-square one. For Gaussian numbers the signal to
        quantisation noise ratio is best at 3.3 with 6 bits, 29.8 dB, and 3.9 with 8, 40.6 dB.
    """

    bits: int = Field(default=8, ge=1, le=16)
    full_scale: float = Field(default=3.9, ge=0.5, le=20.0)

    def propagate(
        self, symbols: Tensor, snr_db: float | Tensor, generator: torch.Generator
    ) -> Reception:
        """Add noise, clip and round; see `Channel.propagate`."""
        power = noise_power(snr_db, symbols)
        shape = (symbols.shape[0], symbols.shape[1])
        received = symbols + complex_normal(shape, power, generator, symbols.device)
        scale = self.full_scale * ((1 + power) / 2).sqrt()
        parts = torch.view_as_real(received) / scale.unsqueeze(2)
        rounded = quantised(parts, self.bits) * scale.unsqueeze(2)
        return Reception(torch.view_as_complex(rounded))

    @property
    def label(self) -> str:
        """Bits, and the range where it is not the usual: "quantised-8bit"."""
        wide = "" if self.full_scale == 3.9 else f"-x{self.full_scale:g}"
        return f"quantised-{self.bits}bit{wide}"


def quantised(numbers: Tensor, bits: int) -> Tensor:
    """Numbers rounded to 2^bits levels within [-1, 1]; what is beyond is the outermost level."""
    levels = 2.0 ** (bits - 1)
    within = numbers.clamp(-1, 1)
    rounded = ((within * levels).floor().clamp(-levels, levels - 1) + 0.5) / levels
    return within + (rounded - within).detach()
