"""One process for all commands of a night: what stages and gates import takes longer than their work on a few new conversations.

`ticketmill run` listens on a Unix socket in a folder that only its user may enter. As DVC starts the first stage, so is a
helper that imports what is needed and runs, one after the other, the commands that DVC starts: those find it by their
environment, hand over what they were asked and where they write, and end with the exit code they get. When one is ended, the
helper ends at once with it, as the command itself would have. A command that finds no helper runs by itself, with the same
result.
"""

import json
import os
import select
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from multiprocessing import resource_tracker
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from pipeline.handing_over import KILLED, LENGTH_BYTES, NIGHT

WAIT_SECONDS: Final = 5.0
"""For the helper to end; it does so at once unless it hangs."""


def help_out(listener: int, alive: int, run: Callable[[], int]) -> None:
    """Run the commands that come, until nobody holds the other end of `alive` any more; `run` runs `sys.argv`."""
    # the one process of a pool that outlives it is started here, where it can hold no output of a command open
    resource_tracker.ensure_running()
    with socket.socket(fileno=listener) as night:
        while alive not in select.select([listener, alive], [], [])[0]:
            command, _ = night.accept()
            with command:
                _run_in_place_of(command, alive, run)


def _run_in_place_of(command: socket.socket, alive: int, run: Callable[[], int]) -> None:
    length, outputs, _, _ = socket.recv_fds(command, LENGTH_BYTES, 2)
    if len(outputs) < 2:  # ended before it asked  # noqa: PLR2004  # its two outputs
        return
    with command.makefile("rb") as asked:
        sys.argv, folder, environment = json.loads(asked.read(int.from_bytes(length)))
    done = threading.Event()
    watch = threading.Thread(target=_end_with, args=(command, alive, done), daemon=True)
    watch.start()
    for output, own in zip(outputs, (1, 2), strict=True):
        os.dup2(output, own)
        os.close(output)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update({name: value for name, value in environment.items() if name != NIGHT})
    code = run()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for own in (1, 2):
        os.dup2(nowhere, own)
    os.close(nowhere)
    done.set()
    command.sendall(bytes([code]))
    watch.join()


def _end_with(command: socket.socket, alive: int, done: threading.Event) -> None:
    """End this process where the command or its night ends before it was answered."""
    select.select([command.fileno(), alive], [], [])
    if not done.is_set():
        os._exit(KILLED)


class Helper:
    """The helper of a night, before and after it is started."""

    def __init__(self, listener: socket.socket) -> None:
        """`listener`: what the commands connect to."""
        self._listener = listener
        self._alive, self.held = os.pipe()
        self._process: subprocess.Popen[bytes] | None = None

    def begin(self) -> None:
        """Start it, if that was not done; whoever asks meanwhile waits. It lives while somebody has `held` open."""
        if self._listener.fileno() < 0:
            return
        ends = (self._listener.fileno(), self._alive)
        nowhere = subprocess.DEVNULL
        try:
            self._process = subprocess.Popen(  # noqa: S603  # our own code
                [sys.executable, "-P", "-c", f"from pipeline.start import stay; stay{ends}"],
                pass_fds=ends,
                stdin=nowhere,
                stdout=nowhere,
                stderr=nowhere,
                start_new_session=True,
            )
        finally:
            self._listener.close()  # here: nobody shall wait for a helper that is gone

    def end(self) -> None:
        """Let go of it and wait for its end."""
        os.close(self.held)
        os.close(self._alive)
        if self._process:
            try:
                self._process.wait(WAIT_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()


@contextmanager
def helper() -> Iterator[Helper | None]:
    """A helper for the commands that are started meanwhile; None where no socket can be: every command runs by itself."""
    with ExitStack() as stack:
        try:
            folder = stack.enter_context(TemporaryDirectory(prefix="ticketmill-", ignore_cleanup_errors=True))
            listener = stack.enter_context(socket.socket(socket.AF_UNIX))
            listener.bind(str(Path(folder, "night")))
            listener.listen()
        except OSError:  # no room for a folder, or a longer path than a socket may have
            yield None
            return
        own = Helper(listener)
        stack.callback(own.end)
        os.environ[NIGHT] = str(listener.getsockname())
        stack.callback(os.environ.pop, NIGHT, None)
        yield own
