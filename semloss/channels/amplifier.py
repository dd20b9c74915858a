"""A transmitter's amplifier: pulses are shaped, then compressed and turned, and they spread."""

import math
from functools import cached_property
from typing import Literal

import torch
from pydantic import Field, FiniteFloat
from torch import Tensor

from semloss.channels.base import CHANNELS, Channel, Reception, complex_normal, noise_power

#: Samples of the waveform for each symbol. Products of third order are whole within it.
OVERSAMPLING = 4

#: Saleh's travelling-wave tube (1981, Table I): AM/AM and AM/PM, amplitude gain and curvature.
SALEH_AM, SALEH_PM = (2.1587, 1.1517), (4.0033, 9.1040)

#: Points of the distribution of a Gaussian waveform's power.
QUANTILES = 4096

#: How far beyond the set back-off a limit may ask, in dB, and halvings of that to find it.
MOST_FURTHER_DB, HALVINGS = 40.0, 14


@CHANNELS.register("amplifier")
class Amplifier(Channel):
    """Root-raised-cosine pulses through a memoryless amplifier, noise, and a matched filter.

    ::

        symbols ─ pulses, 4 samples a symbol ─ amplifier ─ + noise ─ matched filter ─ / gain ─→

    SNR is that of a symbol at saturation, Es/N0 if the amplifier gave its greatest power all the
    time: what back-off loses is lost in the metric. Each image is shaped as one period, so that
    the pulses are exactly of their band and free of intersymbol interference, and the waveform
    has exactly the mean power of the symbols. The receiver knows the complex gain of the whole
    way, by least squares, divides by it and tells the decoder.

    Sources: C. Rapp, "Effects of HPA-nonlinearity on a 4-DPSK/OFDM signal", 1991; A. A. M. Saleh,
    "Frequency-independent and frequency-dependent nonlinear models of TWT amplifiers", IEEE Trans.
    Commun. 29(11), 1981.

    Attributes
    ----------
    input_back_off_db
        Input power that saturates over the mean input power, in dB; negative drives it beyond.
        Saturation is where a straight gain would reach the greatest output (Rapp), or where the
        greatest output is given (Saleh).
    model
        "rapp": r / (1 + r^2p)^(1/2p), a solid-state amplifier without phase; "saleh":
        2 r / (1 + r²), turned by a phase that rises with r².
    smoothness
        p of Rapp: the larger, the longer it stays linear.
    roll_off
        Of the pulses, in (0, 1].
    acpr_limit_dbc
        Most power in a neighbouring channel that is allowed: an image that would send more is
        backed off further, until it does not. Left out, none is.
    """

    input_back_off_db: FiniteFloat = Field(ge=-20.0, le=60.0)
    model: Literal["rapp", "saleh"] = "rapp"
    smoothness: float = Field(default=2.0, ge=0.5, le=20.0)
    roll_off: float = Field(default=0.25, gt=0.0, le=1.0)
    acpr_limit_dbc: float | None = Field(default=None, ge=-60.0, lt=0.0)

    def propagate(
        self, symbols: Tensor, snr_db: float | Tensor, generator: torch.Generator
    ) -> Reception:
        """Shape, amplify, add noise, filter, divide by the gain; see `Channel.propagate`."""
        sampled, gain = self.sampled(symbols, self.back_off_db(symbols))
        # a matched filter of such pulses leaves white noise white
        (batch, length), power = symbols.shape, noise_power(snr_db, symbols)
        noise = complex_normal((batch, length), power, generator, symbols.device)
        return Reception((sampled + noise) / gain, gain)

    def sampled(self, symbols: Tensor, back_off_db: Tensor | float) -> tuple[Tensor, Tensor]:
        """What the matched filter gives of symbols (B, k) without noise, and the gain (B, 1) in it.

        What the gain does not explain is distortion.
        """
        batch, length = symbols.shape
        response = self._response(length, symbols.device)
        spectrum = torch.fft.fft(self.amplified(symbols, back_off_db)) * response
        sampled = torch.fft.ifft(spectrum.view(batch, OVERSAMPLING, length).sum(1)) / OVERSAMPLING
        gain = (sampled * symbols.conj()).mean(1, True) / symbols.abs().square().mean(1, True)
        return sampled, gain

    def amplified(self, symbols: Tensor, back_off_db: Tensor | float) -> Tensor:
        """The amplifier's output (B, 4 k) for symbols (B, k) at an input back-off in dB, (B, 1).

        Its saturation has power one.
        """
        spectrum = torch.fft.fft(symbols).repeat(1, OVERSAMPLING)
        waves = torch.fft.ifft(spectrum * self._response(symbols.shape[1], symbols.device))
        return self._compressed(waves * (OVERSAMPLING * 10 ** (-back_off_db / 20)))

    @cached_property
    def loss_db(self) -> float:
        """What of the power at saturation is not signal, for Gaussian symbols, as a codec's are."""
        uniform = (torch.arange(QUANTILES, dtype=torch.float64) + 0.5) / QUANTILES
        mean = 10 ** (-self.input_back_off_db / 10)
        sizes = (-mean * torch.log(uniform)).sqrt().to(torch.complex128)
        signal = (sizes * self._compressed(sizes)).mean().abs() / math.sqrt(mean)
        return -20 * math.log10(float(signal))

    def _compressed(self, waves: Tensor) -> Tensor:
        """The amplifier's output for a waveform whose saturation has size one."""
        power = waves.real.square() + waves.imag.square()
        if self.model == "rapp":
            # no power of two that is zero is raised to a fraction: its slope would be none
            grown: Tensor = (power + 1e-12) ** self.smoothness
            squeezed: Tensor = waves * (1 + grown) ** (-0.5 / self.smoothness)
            return squeezed
        (_, curved), (turn, bent) = SALEH_AM, SALEH_PM
        phase = turn / curved * power / (1 + bent / curved * power)
        turned: Tensor = waves * torch.polar(2 / (1 + power), phase)
        return turned

    def back_off_db(self, symbols: Tensor) -> Tensor:
        """Input back-off of each image in dB, (B, 1): what is set, or more where the limit asks."""
        least = torch.full_like(symbols[:, :1].real, self.input_back_off_db)
        if self.acpr_limit_dbc is None:
            return least
        with torch.no_grad():
            low, high = least, least + MOST_FURTHER_DB
            for _ in range(HALVINGS):
                middle = (low + high) / 2
                kept = self.acpr_dbc(symbols, middle) <= self.acpr_limit_dbc
                low, high = torch.where(kept, low, middle), torch.where(kept, middle, high)
            kept = self.acpr_dbc(symbols, least) <= self.acpr_limit_dbc
            return torch.where(kept, least, high)

    def acpr_dbc(self, symbols: Tensor, back_off_db: Tensor) -> Tensor:
        """Power in a neighbouring channel over that in the own at a back-off, (B, 1), in dBc.

        Channels are 1 + roll-off symbol rates wide and as far apart; both neighbours' mean counts.
        """
        spectrum = torch.fft.fft(self.amplified(symbols, back_off_db)).abs().square()
        away = self._frequencies(symbols.shape[1], symbols.device).abs() / (1 + self.roll_off)
        own = (spectrum * (away <= 0.5)).sum(1, True)
        beside = (spectrum * ((away > 0.5) & (away <= 1.5))).sum(1, True) / 2
        return 10 * torch.log10(beside / own)

    def measures(self, symbols: Tensor) -> dict[str, Tensor]:
        """Power beside the own channel, and the back-off where a limit sets it."""
        back_off_db = self.back_off_db(symbols)
        told = {"acpr_dbc": self.acpr_dbc(symbols, back_off_db)[:, 0]}
        if self.acpr_limit_dbc is not None:
            told["input_back_off_db"] = back_off_db[:, 0]
        return told

    @property
    def label(self) -> str:
        """Model and back-off, and what else is not usual: "rapp-ibo2dB"."""
        parts = [f"{self.model}-ibo{self.input_back_off_db:g}dB"]
        if self.model == "rapp" and self.smoothness != 2.0:
            parts.append(f"p{self.smoothness:g}")
        if self.roll_off != 0.25:
            parts.append(f"rolloff{self.roll_off:g}")
        if self.acpr_limit_dbc is not None:
            parts.append(f"acpr{self.acpr_limit_dbc:g}dBc")
        return "-".join(parts)

    @staticmethod
    def _frequencies(length: int, device: torch.device) -> Tensor:
        """Frequencies of the waveform's spectrum in symbol rates, (4 k,)."""
        frequencies: Tensor = torch.fft.fftfreq(
            OVERSAMPLING * length, 1 / OVERSAMPLING, device=device
        )
        return frequencies

    def _response(self, length: int, device: torch.device) -> Tensor:
        """Root of the raised cosine at each frequency, (4 k,): its squares fold to one."""
        beyond = (self._frequencies(length, device).abs() - (1 - self.roll_off) / 2) / self.roll_off
        return torch.cos(math.pi / 2 * beyond.clamp(0, 1))
