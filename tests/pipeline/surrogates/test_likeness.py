"""A name's stand-in looks like a name of its gender and locale, and is nobody's on any list."""

import pytest

from pipeline.replacing.name_lists import LOCALES, family_names, given_names, listed_names, name_atom
from tests.pipeline.standins import STANDINS, replaced


@pytest.mark.parametrize("kind", ["female", "male", "family"])
@pytest.mark.parametrize("locale", LOCALES)
def test_names_of_a_list_have_stand_ins_of_their_own_that_are_on_no_list(locale: str, kind: str) -> None:
    names = sorted(listed_names(locale, kind))[:200]
    standins = {STANDINS.drawn(name_atom(name)) for name in names if len(name) > 1}
    assert len(standins) > 0.9 * len(names)  # chance; `settle` sees to the rest
    assert not standins & given_names().keys()
    assert not standins & family_names()
    assert all(4 < len(name) < 20 and name.isalpha() for name in standins)


@pytest.mark.parametrize(
    ("name", "kind", "locale"), [("giulia", "female", "it_IT"), ("john", "male", "en_US"), ("zedekiah", "family", "")]
)
def test_a_name_is_drawn_from_the_space_of_its_gender_and_locale(name: str, kind: str, locale: str) -> None:
    atom = name_atom(name)
    assert (atom.kind, atom.shape) == (kind, locale)


@pytest.mark.parametrize(
    ("address", "ending"),
    [
        ("jo@gmail.com", "mail.example.com"),
        ("jo@harbour-tools.com", ".example.com"),
        ("jo@harbour.co.uk", ".example.com"),
        ("jo@relief.org", ".example.org"),
        ("jo@lines.net", ".example.net"),
        ("jo@cs.stonebridge.edu", ".edu.example.org"),
        ("jo@stonebridge.ac.uk", ".edu.example.org"),
        ("jo@county.gov", ".gov.example.org"),
    ],
)
def test_an_address_keeps_the_class_of_its_domain(address: str, ending: str) -> None:
    standin = replaced("EMAIL_ADDRESS", address)
    assert standin.endswith(ending)
    assert standin.endswith("mail.example.com") == address.endswith("gmail.com")
