"""Hand a command over to the helper of the night, see `pipeline.helping`. Light: every command loads it before anything else."""

import json
import os
import socket
import sys
from typing import Final

NIGHT: Final = "TICKETMILL_NIGHT"
"""Variable of the environment: the socket of the helper."""

LENGTH_BYTES: Final = 8

KILLED: Final = 1
"""Exit code of a command whose helper was killed: an expected error."""


def hand_over() -> int | None:
    """Have this very command run by the helper of the night; its exit code, None where there is no helper."""
    if NIGHT not in os.environ:
        return None
    with socket.socket(socket.AF_UNIX) as helper:
        try:
            helper.connect(os.environ[NIGHT])
        except OSError:  # it ended with its run
            return None
        asked = json.dumps([sys.argv, os.getcwd(), dict(os.environ)]).encode()  # noqa: PTH109  # pathlib takes its time
        try:
            socket.send_fds(helper, [len(asked).to_bytes(LENGTH_BYTES)], [1, 2])
            helper.sendall(asked)
            answer = helper.recv(1)
        except OSError:
            answer = b""
    if not answer:
        print("ticketmill: the helper of the night was killed; run again, finished parts are kept", file=sys.stderr)  # noqa: T201
        return KILLED
    return answer[0]
