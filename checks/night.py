"""Judge for all gates of a night in one process: Great Expectations takes three seconds to import, and a night has six gates.

`ticketmill run` answers on a Unix socket in a folder that only its user may enter; the gates that DVC starts find it by their
environment. Names of measures, numbers and bounds go over it, and back whether each bound is met. A gate that finds nobody
there judges by itself, with the same result.
"""

import json
import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from multiprocessing.connection import Client, Listener
from pathlib import Path
from tempfile import TemporaryDirectory

from checks.gate import JUDGE, Limit, at_least, met, question


@contextmanager
def judging() -> Iterator[None]:
    """Answer the gates that are started meanwhile; nothing is imported before someone asks."""
    with ExitStack() as stack:
        try:
            folder = stack.enter_context(TemporaryDirectory(prefix="ticketmill-", ignore_cleanup_errors=True))
            listener = Listener(str(Path(folder, "judge")), "AF_UNIX", backlog=8)
        except OSError:  # no room for a folder, or a longer path than a socket may have: every gate judges by itself
            pass
        else:
            stack.callback(_retire, listener)
            os.environ[JUDGE] = str(listener.address)
            threading.Thread(target=_answer, args=(listener,), daemon=True).start()
        yield


def get_ready() -> None:
    """Have Great Expectations imported while the first stage runs, by a question whose answer nobody waits for."""
    with suppress(KeyError, OSError), Client(os.environ[JUDGE], "AF_UNIX") as judge:  # no judge: nobody to get ready
        judge.send_bytes(question({"ready": 1}, [at_least("ready", 1)]))


def _retire(listener: Listener) -> None:
    del os.environ[JUDGE]
    with suppress(OSError):  # who clears away temporary files may have been faster
        listener.close()


def _answer(listener: Listener) -> None:
    while True:
        try:
            gate = listener.accept()
        except OSError:  # closed
            return
        with gate:
            try:
                values, limits = json.loads(gate.recv_bytes())
                gate.send_bytes(json.dumps(met(values, [Limit(*limit) for limit in limits])).encode())
            except Exception:  # noqa: BLE001, S112  # without an answer the gate judges by itself, and says what is wrong
                continue
