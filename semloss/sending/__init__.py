"""A trained codec in use: images of any size over the link that a cell of a run was trained for."""

from semloss.sending.cells import Cell, choose_cell
from semloss.sending.exported import ExportedEncoder, export_encoder
from semloss.sending.loaded import Heard, LoadedCodec, load_codec
from semloss.sending.scenes import send_scene
from semloss.sending.sent import SentImage, SentImages
from semloss.sending.sure import UntilSure, send_until_sure

__all__ = [
    "Cell", "ExportedEncoder", "Heard", "LoadedCodec", "SentImage", "SentImages", "UntilSure",
    "choose_cell", "export_encoder", "load_codec", "send_scene", "send_until_sure",
]  # fmt: skip
