"""What a device does well: memory that is kept, arithmetic in bfloat16."""

import ctypes
from contextlib import AbstractContextManager

import torch


def keep_freed_memory() -> None:
    """Have the C library reuse freed memory instead of giving it back to the system each step.

    Every training step otherwise pays hundreds of page faults for the same few megabytes. Only
    glibc has the call; elsewhere nothing is changed.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    trim_threshold, mmap_threshold = -1, -3  # M_TRIM_THRESHOLD, M_MMAP_THRESHOLD of malloc.h
    mallopt(mmap_threshold, 32 << 20)
    mallopt(trim_threshold, 1 << 30)


def native_bf16(device: torch.device) -> bool:
    """Whether bfloat16 is arithmetic on this device rather than emulation."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.cpu._is_avx512_bf16_supported())


def autocast(device: torch.device, bf16: bool) -> AbstractContextManager[None]:
    """Mixed precision for a network's layers; the channel stays outside, in float32."""
    # a cached copy of the weights would be left behind by a step that is captured
    keeps = device.type != "cuda"
    return torch.autocast(device.type, torch.bfloat16, enabled=bf16, cache_enabled=keeps)
