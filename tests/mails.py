"""Labelled mails in 15 languages: every line is wanted (+), unwanted (-) or neither (~: a closing formula and the name below it).

Two halves of different construction. `built`: blocks of a language put together in nine layouts of common programs; the rules of
`pipeline.mail` were tuned on these. `whole`: written as mails, line by line, with other programs, other wordings and other
layouts, before the rules were run on any of them; nothing was changed for them, so their error rates are the ones to report.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import yaml

DATA: Final = Path(__file__).parent / "data" / "mails"


class Labelled(NamedTuple):
    """A mail and what of it is what."""

    name: str
    language: str
    lines: tuple[tuple[str, str], ...]
    """(label, line)."""

    @property
    def text(self) -> str:
        return "\n".join(line for _, line in self.lines)

    def labelled(self, label: str) -> list[str]:
        return [line.strip() for own, line in self.lines if own == label and line.strip()]


def built() -> Iterator[Labelled]:
    """Nine mails per language, from its blocks."""
    blocks = yaml.safe_load((DATA / "blocks.yaml").read_text("utf-8"))
    for language, block in blocks.items():
        for layout, parts in _layouts(block).items():
            lines = [(label, line) for label, text in parts for line in text.split("\n")]
            yield Labelled(f"{language} {layout}", language, tuple(lines))


def _layouts(b: dict[str, str]) -> dict[str, list[tuple[str, str]]]:
    def quoted(text: str) -> str:
        return "\n".join(f"> {line}" for line in text.split("\n"))

    said = b["said"].split("\n")
    one = b["one"].split("\n")
    return {
        "gmail": [("+", b["one"]), ("-", ""), ("-", b["gmail"]), ("-", ""), ("-", quoted(b["said"]))],
        "gmail without marks": [("+", b["two"]), ("-", ""), ("-", b["gmail"]), ("-", ""), ("-", b["said"])],
        "outlook": [
            *[("+", b["two"]), ("-", ""), ("~", b["signoff"]), ("-", b["contact"]), ("-", ""), ("-", "_" * 32)],
            *[("-", b["block"]), ("-", ""), ("-", b["said"])],
        ],
        "apple mobile": [
            ("+", b["one"]),
            ("-", ""),
            ("-", b["mobile"]),
            ("-", ""),
            ("-", b["apple"]),
            ("-", ""),
            ("-", quoted(b["said"])),
        ],
        "thunderbird below": [
            *[
                ("-", b["bird"]),
                ("-", quoted(b["said"])),
                ("-", ""),
                ("+", b["two"]),
                ("-", ""),
                ("-", "-- "),
                ("-", b["contact"]),
            ],
        ],
        "inline": [
            *[("-", b["bird"]), ("-", f"> {said[0]}"), ("-", ""), ("+", one[0]), ("-", ""), ("-", f"> {said[1]}"), ("-", "")],
            ("+", b["two"]),
        ],
        "original": [("+", b["two"]), ("-", ""), ("-", b["original"]), ("-", b["block"]), ("-", ""), ("-", b["said"])],
        "nothing to cut": [("+", b["one"]), ("+", ""), ("+", b["hard"])],
        "disclaimer": [("+", b["one"]), ("-", ""), ("~", b["signoff"]), ("-", ""), ("-", b["disclaimer"])],
        "forward": [("+", b["two"]), ("+", ""), ("+", b["forward"]), ("+", b["block"]), ("+", ""), ("+", b["said"])],
    }


def whole() -> Iterator[Labelled]:
    """Five mails per language, as they were written."""
    return _written("whole.txt")


def fresh() -> Iterator[Labelled]:
    """Two mails per language, written after the rules were changed for the last time."""
    return _written("fresh.txt")


def _written(name: str) -> Iterator[Labelled]:
    for entry in (DATA / name).read_text("utf-8").split("=== ")[1:]:
        title, _, body = entry.partition("\n")
        lines = [(line[:1] or "~", line[2:]) for line in body.rstrip("\n").split("\n")]
        yield Labelled(title, title.split()[0], tuple(lines))
