"""Names that people have, from the lists of Faker; nothing here is random."""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Final

from pipeline.replacing.atoms import Atom, normal_word

LOCALES: Final = ("en_US", "en_GB", "en_IN", "de_DE", "fr_FR", "es_ES", "it_IT", "nl_NL", "pt_BR", "sv_SE", "tr_TR", "cs_CZ")
"""Locales of Faker whose lists of names, in Latin letters, tell given names and their gender."""


@cache
def given_names() -> Mapping[str, str]:
    """Given name, normalised -> "female" or "male"; names of both count as the gender more locales give them."""
    votes: dict[str, int] = {}
    for locale in LOCALES:
        for gender, vote in (("female", 1), ("male", -1)):
            for word in listed_names(locale, gender):
                votes[word] = votes.get(word, 0) + vote
    return {word: "female" if vote > 0 else "male" for word, vote in votes.items() if len(word) > 2}  # noqa: PLR2004


@cache
def family_names() -> frozenset[str]:
    """Family names, normalised."""
    return frozenset(word for locale in LOCALES for word in listed_names(locale, "family"))


_LISTS: Final = {"female": "first_names_female", "male": "first_names_male", "family": "last_names"}


@cache
def listed_names(locale: str, kind: str) -> frozenset[str]:
    """Names of a locale, normalised; `kind` is female, male or family."""
    provider = import_module(f"faker.providers.person.{locale}").Provider
    return frozenset(normal_word(name) for name in getattr(provider, _LISTS[kind], ()))


@cache
def _locales(kind: str) -> Mapping[str, str]:
    """Name -> the first locale that lists it."""
    return {word: locale for locale in reversed(LOCALES) for word in listed_names(locale, kind)}


def name_atom(word: str) -> Atom:
    """The atom of a word of a name: by what the word is, so that its stand-in is the same wherever it stands.

    A name on a list is drawn from the space of its gender and locale, which is its shape; any other from that of family
    names.
    """
    kind = given_names().get(word, "family")
    return Atom(kind, word, _locales(kind).get(word, ""))
