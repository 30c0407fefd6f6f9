"""Text that never went through scrub and is to go to a model: scrub's own eyes look through it first."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pipeline import known_values
from pipeline.finding import Look, chosen
from pipeline.params import load_section
from pipeline.scrub import ScrubParams, make_look, read_lists
from pipeline.spans import Span

IMPERSONAL: Final = frozenset(
    {"AGE", "DATE_TIME", "JOB_TITLE", "LOCATION", "NRP", "ORGANIZATION", "TITLE", "URL", "USER_AGENT", "YEAR"}
)
"""Types that tell who somebody is only beside others, and of which a manual is full."""


def look_for_details(files: Sequence[Path], overrides: Sequence[str]) -> Look:
    """Finds what scrub would replace in single texts, but for what is IMPERSONAL; opens the models, which takes seconds.

    Args:
        files: params files, for their section `scrub`.
        overrides: values over those of the files.

    Raises:
        ParamsError: the section is not what it should be, or a list of terms cannot be read.
    """
    params = load_section(ScrubParams, "scrub", files, overrides)
    look, lists = make_look(params), read_lists(params)
    left = params.kept_types | IMPERSONAL

    def find(texts: Sequence[str]) -> list[list[Span]]:
        return [
            chosen(text, [*spans, *known_values.find(text, lists.denied)], lists.allowed, left)
            for text, spans in zip(texts, look(texts), strict=True)
        ]

    return find
