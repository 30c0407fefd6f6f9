"""A spaCy pipeline of the user's own, such as en_core_web_lg, as a model beside ours: `scrub.models: [names, "spacy:NAME"]`.

NAME is an installed package or a folder. Nothing is downloaded: what is not there is an error that says how to get it.
"""

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from pipeline.errors import ParamsError
from pipeline.spans import Span

TYPES: Final = {
    "PERSON": "PERSON",
    "PER": "PERSON",
    "GPE": "LOCATION",
    "LOC": "LOCATION",
    "FAC": "LOCATION",
    "ORG": "ORGANIZATION",
    "NORP": "NRP",
}
"""Labels of OntoNotes and WikiNER pipelines -> entity types; other labels (DATE, MONEY, ...) are left to the patterns."""

SCORE: Final = 0.85
"""spaCy gives none; this is Presidio's for its SpacyRecognizer."""


def folder_of(name: str) -> Path:
    """Where the files of a pipeline are.

    Raises:
        ParamsError: there is no such package or folder.
    """
    if Path(name).is_dir():
        return Path(name)
    found = find_spec(name) if name.isidentifier() else None
    if found is None or found.origin is None:
        raise ParamsError(f"scrub.models: spacy:{name} is not there; install the package or name its folder")
    return Path(found.origin).parent


def open_model(name: str, weight: float) -> Callable[[Sequence[str]], list[list[Span]]]:
    """Load a pipeline; gives a function that reads many texts at once.

    Raises:
        ParamsError: there is no such package or folder, or it is no spaCy pipeline with named entities.
    """
    import spacy  # noqa: PLC0415  # a second, for who names such a model

    try:
        pipeline = spacy.load(name, exclude=["lemmatizer"])
    except (OSError, ValueError, ImportError) as error:
        raise ParamsError(
            f"scrub.models: spacy:{name} cannot be loaded ({type(error).__name__}); install the package or name its folder"
        ) from None
    if not {"ner", "entity_ruler", "span_ruler"} & set(pipeline.pipe_names):
        raise ParamsError(f"scrub.models: spacy:{name} finds no named entities; name a pipeline that has `ner`")

    def read(texts: Sequence[str]) -> list[list[Span]]:
        return [
            [
                Span(entity.start_char, entity.end_char, TYPES[entity.label_], SCORE * weight, "SpacyRecognizer")
                for entity in document.ents
                if entity.label_ in TYPES
            ]
            for document in pipeline.pipe(texts)
        ]

    return read
