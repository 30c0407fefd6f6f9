"""E-mail addresses agree with the name and lead nowhere."""

import re

import pytest

from tests.pipeline.standins import replaced


def test_the_address_of_a_person_agrees_with_the_name_and_leads_nowhere() -> None:
    first, last = replaced("PERSON", "crystal minh").split()
    address = replaced("EMAIL_ADDRESS", "crystal.minh@harbour-mail.example")
    assert re.fullmatch(rf"{first}\.{last}@[a-z]+\.example\.(com|net|org)", address)


@pytest.mark.parametrize("glued", ["johnsmith", "jsmith"])
def test_a_name_glued_together_in_an_address_is_taken_apart(glued: str) -> None:
    assert replaced("PERSON", "smith") in replaced("EMAIL_ADDRESS", f"{glued}@mail.example")


@pytest.mark.parametrize(
    ("spelled", "sign", "dot"),
    [
        ("jo fox dot 7 at harbour dot co dot uk", " at ", " dot "),
        ("jo fox.7 @ Harbour.co.uk", " @ ", "."),
        ("jo fox[dot]7[at]harbour[dot]co[dot]uk", "[at]", "[dot]"),
        ("jo fox punkt 7 klammeraffe har bour punkt co punkt uk", " klammeraffe ", " punkt "),
    ],
)
def test_an_address_in_words_has_the_stand_in_of_the_address_in_its_own_words(spelled: str, sign: str, dot: str) -> None:
    local, _, host = replaced("EMAIL_ADDRESS", "jo fox.7@harbour.co.uk").partition("@")
    joint = dot if dot in spelled.partition(sign)[0] else "."
    assert replaced("EMAIL_ADDRESS", spelled) == local.replace(".", joint) + sign + host.replace(".", dot)


def test_an_address_in_the_path_of_a_web_address_is_one() -> None:
    standin = replaced("URL", "https://lists.harbour.co.uk/all/8229-vkms-ioj84@harbour.co.uk/2?to=jo.fox@harbour.co.uk")
    assert "harbour" not in standin
    assert standin.endswith(replaced("EMAIL_ADDRESS", "jo.fox@harbour.co.uk"))
