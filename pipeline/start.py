"""Where `ticketmill` starts: Ctrl-C ends it without a traceback from its first moment on."""

from pipeline.interrupts import loading


def main() -> None:
    """Load the command line and run it."""
    with loading():
        from pipeline.cli import main as run  # noqa: PLC0415  # what takes its time
    run()
