"""Where `ticketmill` starts and ends: without a traceback on Ctrl-C from its first moment on, without tidying up at its last.

A night starts fourteen commands. What their modules and models are made of stays till the end, so the collector of garbage
need not look through it time and again, and nobody needs it taken apart before the process ends: a tenth of a second of each
command, half of one where Great Expectations is loaded. mypy ends in the same way (`mypy.util.hard_exit`).
"""

import atexit
import gc
import os
import sys
from typing import Final

from pipeline.interrupts import loading, never_lost

RARELY: Final = 100_000
"""Objects more than were freed before the collector of garbage looks again; 700 to 2,000 is Python's own choice."""


def main() -> None:
    """Load the command line, run it, and end the process with its exit code."""
    gc.set_threshold(RARELY)
    never_lost()
    with loading():
        from pipeline.cli import main as run  # noqa: PLC0415  # what takes its time
    try:
        run()
    except SystemExit as end:
        if isinstance(end.code, str):  # a message: Python prints it and makes 1 of it
            raise
        _end(end.code or 0)
    _end(0)


def _end(code: int) -> None:
    atexit._run_exitfuncs()  # noqa: SLF001  # as Python does before it takes the modules apart
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):  # whoever read it has gone
            code = code or 1
    os._exit(code)
