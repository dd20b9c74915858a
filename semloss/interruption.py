"""Signals to stop, heeded once and where stopping is safe.

An exception out of a signal handler can surface anywhere, also inside a lock that is being
released. So the handler only takes a note, and loops look at it; where no loop does, it raises,
once. Further signals change nothing.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

#: Ctrl-C, `kill` and `timeout`, a terminal that closes.
SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP")
                if hasattr(signal, name))  # fmt: skip


class _State:
    """What has been asked of this process, and whether a loop looks at it."""

    asked = False
    looked_at = False


@contextmanager
def stoppable() -> Iterator[None]:
    """Turn the first signal to stop into one `KeyboardInterrupt`, and pass over all others.

    After one, signals stay without effect until the process ends, which it is about to do. In
    another thread than the main one, which hears no signals, nothing is changed.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _State.asked = False
    before = {one: signal.signal(one, _ask) for one in SIGNALS}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, signal.SIG_IGN if _State.asked else handler)


def _ask(number: int, frame: object) -> None:
    if _State.asked:
        return
    _State.asked = True
    if not _State.looked_at:
        raise KeyboardInterrupt


@contextmanager
def looked_at() -> Iterator[None]:
    """What is done here calls `look` every second or so: no signal raises by itself."""
    _State.looked_at = True
    try:
        yield
    finally:
        _State.looked_at = False


def look() -> None:
    """Stop if that was asked.

    Raises
    ------
    KeyboardInterrupt
        When a signal to stop has come.
    """
    if _State.asked and _State.looked_at:
        raise KeyboardInterrupt


@contextmanager
def kept() -> Iterator[None]:
    """Keep this process's handlers, whatever a library that is started here sets."""
    handlers = {one: signal.getsignal(one) for one in SIGNALS}
    try:
        yield
    finally:
        for one, handler in handlers.items():
            signal.signal(one, handler)


@contextmanager
def deaf_children() -> Iterator[None]:
    """Processes and threads that are started here hear no signals to stop; none is lost here."""
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
