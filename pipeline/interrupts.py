"""Ctrl-C while modules are loaded: light, since it is loaded before anything else."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

INTERRUPTED: Final = 130
"""The exit code; the others stand in pipeline.options."""


@contextmanager
def loading() -> Iterator[None]:
    """Around imports: Ctrl-C just ends the process, which has written nothing yet.

    What is imported may swallow a KeyboardInterrupt, or turn it into an error of its own.
    """
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGINT) != signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
