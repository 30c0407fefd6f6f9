"""One text file per prompt; its version is the hash of the file, recorded with every answer made from it."""

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any, Final

from pipeline.errors import ParamsError

VERSION_DIGITS: Final = 16


@dataclass(frozen=True)
class Prompt:
    """A Jinja template and its version."""

    name: str
    version: str
    text: str
    template: Any

    def render(self, **values: Any) -> str:
        """The text with these values; a name the template needs and does not get is a bug."""
        return str(self.template.render(values)).strip()


@cache
def load_prompt(name: str) -> Prompt:
    """The prompt in `<name>.txt`.

    Raises:
        ParamsError: there is no such prompt.
    """
    from jinja2 import Environment, StrictUndefined  # noqa: PLC0415  # 0.1 s, only where a model is asked

    try:
        text = files("pipeline.prompts").joinpath(f"{name}.txt").read_text("utf-8")
    except FileNotFoundError:
        raise ParamsError(f"generate: no prompt {name!r}; add pipeline/prompts/{name}.txt or name another") from None
    environment = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False)  # noqa: S701  # plain text
    return Prompt(name, sha256(text.encode()).hexdigest()[:VERSION_DIGITS], text, environment.from_string(text))
