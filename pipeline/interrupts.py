"""Ctrl-C where Python would lose it: light, since it is loaded before anything else."""

import os
import signal
import sys
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


AGAIN_SECONDS: Final = 0.01


def interrupt() -> None:
    """Do as Ctrl-C does, from any thread; a real signal, which wakes the main thread where it waits."""
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)


def never_lost() -> None:
    """Repeat, for the rest of this process, a Ctrl-C that came while something was being deleted: Python ignores it there.

    As regex compiles our patterns it deletes thousands of nodes by methods of its own, so one Ctrl-C in ten was ignored.
    """
    before = sys.unraisablehook

    def again(ignored: "sys.UnraisableHookArgs") -> None:
        if ignored.exc_type is KeyboardInterrupt:
            threading.Timer(AGAIN_SECONDS, interrupt).start()  # once this hook has returned: it may raise nothing
        else:
            before(ignored)

    sys.unraisablehook = again
