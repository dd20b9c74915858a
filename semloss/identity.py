"""Content keys and the seeds derived from them."""

import hashlib
import json
from typing import Any


def digest(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """SHA-256 of a JSON value in canonical form, as hexadecimal text."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def seed_for(key: str, purpose: str) -> int:
    """Seed of one random stream of the thing that `key` identifies.

    Initialisation, data order and channel noise ask with different purposes, so that their
    streams are independent and none shifts when another draws more.

    Returns
    -------
    int
        In [0, 2**63).
    """
    return int.from_bytes(hashlib.sha256(f"{key}/{purpose}".encode()).digest()[:8], "big") >> 1
