"""The shelf of recognizers: one file per kind of personal detail, one entry here, named in `scrub.recognizers` of params.yaml.

Importing this package imports Presidio and spaCy (about a second): do so only where texts are looked through.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from presidio_analyzer import EntityRecognizer, RecognizerResult

from pipeline.recognizers import (
    addresses,
    attributes,
    contacts,
    documents,
    foreign,
    numbers,
    people,
    plain,
    presidio,
    secrets,
    spacy_model,
    transformers_model,
)
from pipeline.spans import Span

RECOGNIZERS: dict[str, Callable[[str, Sequence[str]], list[EntityRecognizer]]] = {
    "presidio": presidio.recognizers,
    "numbers": numbers.recognizers,
    "secrets": secrets.recognizers,
    "contacts": contacts.recognizers,
    "documents": documents.recognizers,
    "people": people.recognizers,
    "addresses": addresses.recognizers,
    "attributes": attributes.recognizers,
}
"""Name -> recognizers for a language (ISO 639-1) and countries (ISO 3166-1, lower case)."""

MODEL_WEIGHT: Final = 0.39
"""Of the same characters a pattern knows better what they are: the finds of a model score below any of a pattern."""


def _packaged_names(_: str) -> Callable[[Sequence[str]], list[list[Span]]]:
    from pipeline.recognizers.names import NamesRecognizer  # noqa: PLC0415  # onnxruntime, where the model is used only

    recognizer = NamesRecognizer()

    def believed(text: str, found: Sequence[RecognizerResult]) -> list[Span]:
        spans = [Span(one.start, one.end, one.entity_type, one.score * MODEL_WEIGHT, "NamesRecognizer") for one in found]
        own = [kept for span in spans if (kept := plain.less_what_follows(text, span))]
        spans = [kept for span in own if (kept := plain.without(text, span))]
        return foreign.believable(text, spans) if spans and foreign.is_foreign(text) else spans

    def read(texts: Sequence[str]) -> list[list[Span]]:
        return [believed(text, found) for text, found in zip(texts, recognizer.find_batch(texts), strict=True)]

    return read


MODELS: dict[str, Callable[[str], Callable[[Sequence[str]], list[list[Span]]]]] = {
    "names": _packaged_names,
    "spacy": lambda name: spacy_model.open_model(name, MODEL_WEIGHT),
    "transformers": lambda name: transformers_model.open_model(name, MODEL_WEIGHT),
}
"""Name -> a function that opens a model and gives one that reads many texts at once: a list of spans per text.

It is given what stands after the colon in params: `spacy:en_core_web_lg`, `transformers:FOLDER`.
"""

MODEL_FOLDERS: dict[str, Callable[[str], Path]] = {"spacy": spacy_model.folder_of, "transformers": transformers_model.folder_of}
"""Name -> where the files of a user's own model are: of other files, other finds."""
