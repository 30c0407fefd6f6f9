"""Names that people have, from the lists of Faker; nothing here is random."""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import Final

from pipeline.replacing.atoms import normal_word

_LOCALES: Final = ("en_US", "en_GB", "en_IN", "de_DE", "fr_FR", "es_ES", "it_IT", "nl_NL", "pt_BR", "sv_SE", "tr_TR", "cs_CZ")
"""Locales of Faker whose lists of names, in Latin letters, tell given names and their gender."""


@cache
def given_names() -> Mapping[str, str]:
    """Given name, normalised -> "female" or "male"; names of both count as the gender more locales give them."""
    votes: dict[str, int] = {}
    for provider in _name_lists():
        for attribute, vote in (("first_names_female", 1), ("first_names_male", -1)):
            for name in set(getattr(provider, attribute, ())):
                word = normal_word(name)
                votes[word] = votes.get(word, 0) + vote
    return {word: "female" if vote > 0 else "male" for word, vote in votes.items() if len(word) > 2}  # noqa: PLR2004


@cache
def family_names() -> frozenset[str]:
    """Family names, normalised."""
    return frozenset(normal_word(name) for provider in _name_lists() for name in getattr(provider, "last_names", ()))


def _name_lists() -> Iterator[object]:
    for locale in _LOCALES:
        yield import_module(f"faker.providers.person.{locale}").Provider


def name_kind(word: str) -> str:
    """The space from which a word of a name is drawn: by what the word is, so that it is the same wherever it stands."""
    return given_names().get(word, "family")
