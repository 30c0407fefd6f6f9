"""Messages that a support team should turn away politely. One file per kind: how to, an empty line, then a message a line."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

KINDS: Final = ("off_topic", "impersonation", "prompt_injection", "abuse", "competitor")
"""Names of the files; invented texts, in English."""


@dataclass(frozen=True)
class Boundary:
    """One kind of message."""

    how: str
    """What a good reply does, as one would tell a person."""

    messages: tuple[str, ...]


@cache
def load_boundary(kind: str) -> Boundary:
    """What stands in the file of this kind."""
    how, messages = files("pipeline.boundaries").joinpath(f"{kind}.txt").read_text("utf-8").split("\n\n", 1)
    return Boundary(how.replace("\n", " "), tuple(messages.strip().splitlines()))
