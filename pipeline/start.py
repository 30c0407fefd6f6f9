"""Where `ticketmill` starts and ends: without a traceback on Ctrl-C from its first moment on, without tidying up at its last.

What its modules and models are made of stays till the end, so the collector of garbage need not look through it time and again,
and nobody needs it taken apart before the process ends: a tenth of a second of each command, half of one where Great
Expectations is loaded. mypy ends in the same way (`mypy.util.hard_exit`). In a night the command is handed over instead.
"""

import atexit
import gc
import os
import sys
from collections.abc import Callable
from typing import Final

from pipeline.handing_over import hand_over
from pipeline.interrupts import loading, never_lost

RARELY: Final = 100_000
"""Objects more than were freed before the collector of garbage looks again; 700 to 2,000 is Python's own choice."""


def main() -> None:
    """Hand the command over where a night has a helper, else load the command line and run it; end with the exit code."""
    if (code := hand_over()) is not None:
        os._exit(code)
    run = _load()
    code = _run(run)
    atexit._run_exitfuncs()  # noqa: SLF001  # as Python does before it takes the modules apart
    os._exit(_flush(code))


def stay(listener: int, alive: int) -> None:
    """Be the helper of a night: load the command line once, and run what comes over the socket `listener`."""
    from pipeline.helping import help_out  # noqa: PLC0415  # of all commands only this one

    run = _load()
    help_out(listener, alive, lambda: _flush(_run(run)))
    os._exit(0)


def _load() -> Callable[[], None]:
    gc.set_threshold(RARELY)
    never_lost()
    with loading():
        from pipeline.cli import main as run  # noqa: PLC0415  # what takes its time
    return run


def _run(run: Callable[[], None]) -> int:
    try:
        run()
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)  # noqa: T201  # as Python does
            return 1
        return end.code or 0
    return 0


def _flush(code: int) -> int:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):  # whoever read it has gone
            code = code or 1
    return code
