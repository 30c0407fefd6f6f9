"""The formats that emit writes and `ticketmill validate FILE --target` checks, by name."""

from collections.abc import Mapping
from typing import Final

from pipeline.chat import Format
from pipeline.formats import openai

FORMATS: Final[Mapping[str, Format]] = {
    "openai": openai.FORMAT,
}
