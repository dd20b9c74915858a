"""Any classifier of the library timm, from random weights, a file or its own pretrained ones."""

import hashlib
import importlib
import warnings
from pathlib import Path
from typing import Any, ClassVar

import torch
from pydantic import Field
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from semloss.errors import SemlossError
from semloss.networks.weights import drawn_from
from semloss.sources import ImageSet
from semloss.tasks.base import TASKS
from semloss.tasks.classify import Classifier
from semloss.tasks.efficientnet import FINE_TUNED
from semloss.text import meant, one_line

#: Values of `weights` that name no file.
_NAMED = ("random", "pretrained")


@TASKS.register("timm")
class Timm(Classifier):
    """A classifier of timm (Wightman, "PyTorch image models", 2019), by its name there.

    Images are normalised as the model's own configuration says, where they have three bands.

    Attributes
    ----------
    model
        A name that timm knows: "efficientvit_b0", "mobilevit_xxs", "resnet50".
    weights
        "random"; a ``.safetensors`` file of this model; or "pretrained", timm's own, which it
        downloads once.
    new_head
        Leave the file's head out and train a new one, e.g. for other classes than the file's.
    side
        Images are first brought to this many pixels a side (bilinear); 0 takes them as they are.
        Some models take images of one size only.
    """

    model: str
    weights: str = "random"
    new_head: bool = False
    side: int = Field(default=0, ge=0, le=1024)

    training: ClassVar = {
        "clean": FINE_TUNED | {"steps": 1000, "lr": 1e-3},
        "adapted": FINE_TUNED | {"steps": 300, "lr": 5e-4},
        "matched": FINE_TUNED | {"steps": 40, "lr": 2e-4},
        "deployable": FINE_TUNED | {"steps": 800, "lr": 5e-4},
    }

    @property
    def label(self) -> str:
        """The model's name and changed options; a file by its name: "timm-resnet50"."""
        parts = ["timm", self.model]
        if self.weights != "random":
            parts.append(Path(self.weights).stem)
        return "-".join(parts + ([f"side{self.side}"] if self.side else []))

    def identity(self) -> dict[str, Any]:
        """Options, and the content of the weights file."""
        if self.weights in _NAMED:
            return super().identity()
        content = hashlib.sha256(_read(self.weights)).hexdigest()
        return super().identity() | {"weights": content}

    def check(self, images: ImageSet) -> None:
        """Refuse names, weights and images that cannot go together."""
        super().check(images)
        height, width, bands = images.images.shape[1:]
        network = self.build(bands, len(images.classes), 0)
        self.start(network)
        try:
            with torch.inference_mode():
                network.eval()(torch.zeros(1, bands, height, width))
        except (RuntimeError, AssertionError, ValueError) as error:
            raise SemlossError(
                f"task.model = {self.model!r} takes no images of {height}×{width} "
                f"({_short(error)}); set task.side to what it was made for, e.g. 224"
            ) from None

    def build(self, bands: int, n_classes: int, seed: int) -> "TimmNetwork":
        """Make the network, its weights drawn from `seed`; see `Task.build`."""
        timm = _timm()
        if not timm.is_model(self.model):
            near = meant(self.model, timm.list_models(), "timm.list_models() lists them all")
            raise SemlossError(f"task.model = {self.model!r}: timm knows no such model; {near}")
        with drawn_from(seed):
            net = timm.create_model(self.model, in_chans=bands, num_classes=n_classes)
        return TimmNetwork(net, bands, self.side)

    def start(self, network: nn.Module) -> None:
        """Put the given weights in; see `Task.start`."""
        if self.weights == "random":
            return
        assert isinstance(network, TimmNetwork)
        pretrained, head = self.weights == "pretrained", network.head()
        own = network.net.state_dict()
        given = self._downloaded(network) if pretrained else self._file()
        if self.new_head or pretrained:
            kept = {name: value for name, value in given.items() if not name.startswith(head)}
            given = kept | {name: value for name, value in own.items() if name.startswith(head)}
        where = f"task.weights = {self.weights!r}"
        if given.keys() != own.keys():
            one = sorted(given.keys() ^ own.keys())[0]
            raise SemlossError(
                f"{where}: these are weights of another model than {self.model}; "
                f"{one} is in one of them only"
            )
        for name, value in own.items():
            if value.shape != given[name].shape:
                raise SemlossError(
                    f"{where}: {name} is {_sizes(given[name])} there and {_sizes(value)} here; "
                    + (
                        "it is for other classes: set task.new_head = true to train a new head"
                        if name.startswith(head)
                        else f"these are weights of another model than {self.model}, or for other "
                        "bands"
                    )
                )
        network.net.load_state_dict(given)

    def _file(self) -> dict[str, Tensor]:
        _read(self.weights)
        try:
            return load_file(self.weights)
        except SafetensorError:
            raise SemlossError(
                f"task.weights = {self.weights!r} is no whole safetensors file; others are not read"
            ) from None

    def _downloaded(self, network: "TimmNetwork") -> dict[str, Tensor]:
        try:
            net = _timm().create_model(self.model, pretrained=True, in_chans=network.bands)
        except Exception as error:  # whatever a download can meet
            raise SemlossError(
                f'task.weights = "pretrained": timm cannot get the weights of {self.model} '
                f"({_short(error)}); connect once, or give a .safetensors file of this model"
            ) from None
        state: dict[str, Tensor] = net.state_dict()
        return state


class TimmNetwork(nn.Module):
    """A timm model: float images (B, C, H, W) in [0, 1] to float32 logits (B, classes)."""

    def __init__(self, net: nn.Module, bands: int, side: int) -> None:
        super().__init__()
        self.net, self.bands, self._side = net, bands, side
        made_for: dict[str, Any] = getattr(net, "default_cfg", None) or {}
        usual = (0.5,) * bands
        mean, sd = (
            torch.tensor(made_for.get(name, usual) if bands == 3 else usual).view(1, bands, 1, 1)
            for name in ("mean", "std")
        )
        self.mean: Tensor
        self.sd: Tensor
        self.register_buffer("mean", mean, persistent=False)
        self.register_buffer("sd", sd, persistent=False)

    def head(self) -> str:
        """Start of the names of the classifying layer's weights."""
        last: Any = self.net.get_classifier()  # type: ignore[operator]
        return next(f"{name}." for name, module in self.net.named_modules() if module is last)

    def forward(self, images: Tensor) -> Tensor:
        """Logits in float32, also under autocast."""
        if self._side:
            size = (self._side, self._side)
            images = nn.functional.interpolate(images, size, mode="bilinear", antialias=True)
        logits: Tensor = self.net((images - self.mean) / self.sd)
        return logits.float()


def _timm() -> Any:  # noqa: ANN401 - a package without types
    """The library, which is an extra."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return importlib.import_module("timm")
    except ModuleNotFoundError as error:
        raise SemlossError(
            f'task.kind = "timm" needs the package {error.name}: '
            "python -m pip install 'semloss[timm]'"
        ) from None
    except (ImportError, OSError, RuntimeError) as error:
        raise SemlossError(
            f"timm cannot be imported ({_short(error)}): torchvision is built for another torch "
            f"than {torch.__version__}; install the one beside it: python -m pip install "
            "--force-reinstall --no-deps torchvision --index-url "
            "https://download.pytorch.org/whl/cpu"
        ) from None


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise SemlossError(
            f"task.weights = {path!r}: {error.strerror}; give a .safetensors file, "
            '"random" or "pretrained"'
        ) from None


def _short(error: Exception) -> str:
    return one_line(str(error)).split(". ")[0][:120] or type(error).__name__


def _sizes(value: Tensor) -> str:
    return "×".join(map(str, value.shape)) or "a number"
