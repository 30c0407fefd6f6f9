"""The shelf of recognizers: one file per kind of personal detail, one entry here, named in `scrub.recognizers` of params.yaml.

Importing this package imports Presidio and spaCy (about a second): do so only where texts are looked through.
"""

from collections.abc import Callable, Sequence

from presidio_analyzer import EntityRecognizer

from pipeline.recognizers import addresses, contacts, numbers, people, presidio, secrets
from pipeline.spans import Span

RECOGNIZERS: dict[str, Callable[[str, Sequence[str]], list[EntityRecognizer]]] = {
    "presidio": presidio.recognizers,
    "numbers": numbers.recognizers,
    "secrets": secrets.recognizers,
    "contacts": contacts.recognizers,
    "people": people.recognizers,
    "addresses": addresses.recognizers,
}
"""Name -> recognizers for a language (ISO 639-1) and countries (ISO 3166-1, lower case)."""

MODELS: dict[str, Callable[[], Callable[[Sequence[str]], list[list[Span]]]]] = {}
"""Name -> a function that opens a model and gives one that reads many texts at once: a list of spans per text."""
