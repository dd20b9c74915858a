"""A trained codec in use: images of any size over the link that a cell of a run was trained for."""

from semloss.sending.cells import Cell, choose_cell
from semloss.sending.loaded import Heard, LoadedCodec, load_codec
from semloss.sending.scenes import send_scene
from semloss.sending.sent import SentImage, SentImages

__all__ = [
    "Cell", "Heard", "LoadedCodec", "SentImage", "SentImages", "choose_cell", "load_codec",
    "send_scene",
]  # fmt: skip
