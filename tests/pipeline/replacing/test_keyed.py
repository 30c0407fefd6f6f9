"""The same value has the same stand-in under one key, whatever it is."""

import re
from collections.abc import Callable, Iterable, Mapping
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from checks.readiness.identifiers import find
from checks.scrub import residual
from pipeline.key import Key
from pipeline.replacing.keyed import Surrogates
from pipeline.rules.residual_identifier import kinds
from pipeline.surrogates import AS_FOUND, FORMS
from tests.build import KEY
from tests.pipeline.standins import replaced


def test_two_keys_share_no_stand_in() -> None:
    other = Surrogates(Key(b"another key of thirty-two bytes!"))
    assert other.replace("PERSON", "Crystal Minh") != replaced("PERSON", "Crystal Minh")


@settings(max_examples=600)
@given(
    st.text(max_size=40) | st.text("AB12 34ü٤-:.ß", max_size=30),
    st.sampled_from(sorted({*FORMS, *AS_FOUND, "PERSON", "ORDER_NUMBER", "PIN"})),
)
@example("AB12 3456", "CREDIT_CARD")
@example("B12ü 3456", "IBAN_CODE")
def test_any_text_can_be_replaced_as_any_type(value: str, entity_type: str) -> None:
    assert isinstance(replaced(entity_type, value), str)


LAYOUTS = (
    *("### ### ####", "##########", "(###) ###-####", "+1 ### ### ####", "1 ### ### ####"),
    *("+44 20 #### ####", "+44 ### ### ####", "0## #### ####", "0### ### ####", "+49 30 #######", "+49 ### ### ####"),
    *("+33 # ## ## ## ##", "## ## ## ## ##", "+91 ##### #####", "+39 ### ### ####", "+52 ### ### ####", "+7 ### ### ## ##"),
    *("############", "################", "#### #### #### ####", "#### ###### #####", "##### ####-####", "###-##-####"),
    *("###.###.###.###", "##.##.##.##", "@@## #### #### #### ####", "DE## #### #### #### #### ##", "GB## @@@@ #### #### #### ##"),
    *(
        "de## #### #### #### #### ##",
        "FR## #### #### #### #### #@@# ###",
        "NO## #### #### ###",
        "@@-######",
        "##### @@@@@@ #",
        "1Z@@@#############",
        "1Z ### @## ## #### ### #",
    ),
    *("+49 0## ########", "+49 ### ########", "+86 1## #### ####", "+54 9 ## #### ####", "0049 ### ########", "00############"),
    *(
        "##################",
        "#### #### #### #### ####",
        "## #### ###### ######## ##",
        "#" * 26,
        "#" * 40,
        "@@########## ###### ######",
    ),
    *(
        "DE######## ######## ######",
        "GB## @@@@###### ########",
        "DE##-####-####-####-####-##",
        "@@##@@##@@##@@##@@##",
        "ref-DE####################",
    ),
    *("@@@### ### ####", "####/###-###-####", "## ### ### ####", "### ### ### ####", "##-###-###-####", "##.####.####.####.####"),
)
"""Digits for #, capital letters for @."""

DETECTORS: Mapping[str, Callable[[str], Iterable[object]]] = {
    "gate": residual,
    "readiness": lambda text: (hit for hit in find(text) if hit.kind != "handle"),
    "validate": kinds,
}
"""All that look for real values in scrubbed text."""

ANY_TYPE = (
    *("PERSON", "LOCATION", "STREET_ADDRESS", "ORGANIZATION", "NRP", "USER_NAME", "PIN", "PASSWORD", "SECRET", "ID_NUMBER"),
    *("ACCOUNT_NUMBER", "ORDER_NUMBER", "UK_NHS", "US_PASSPORT", "TRACKING_NUMBER", "DATE_OF_BIRTH"),
)


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(LAYOUTS), st.sampled_from(ANY_TYPE), st.integers(0, 2**64))
def test_no_stand_in_passes_for_somebodys_number_whatever_the_key_draws(layout: str, entity_type: str, seed: int) -> None:
    random = Random(seed)
    value = "".join(random.choice({"#": "0123456789", "@": "ABCDEFGHKLMN"}.get(sign, sign)) for sign in layout)
    key = Key(random.randbytes(32))
    standin = Surrogates(key, countries=["us", "gb", "ca", "de", "fr", "au"]).replace(entity_type, value)
    for name, detect in DETECTORS.items():
        assert list(detect(f"it is {standin}, ok")) == [], (name, value, standin)


@pytest.mark.parametrize("number", ["919 555 0142", "2128675309", "943-476-5919", "+44 20 7946 1234", "4111 1111 1111 1111"])
@pytest.mark.parametrize("entity_type", ANY_TYPE)
def test_a_number_has_one_stand_in_whatever_it_was_found_as(entity_type: str, number: str) -> None:
    its_own = "CREDIT_CARD" if number.startswith("4111") else "PHONE_NUMBER"
    assert replaced(entity_type, number) == replaced(its_own, number)


SHAPED = {
    "CREDIT_CARD": st.from_regex(r"\A(4[0-9]{15}|5[1-5][0-9]{14}|3[47][0-9]{13})\Z"),
    "US_SSN": st.from_regex(r"\A[1-8][0-9]{2}-[0-9]{2}-[0-9]{4}\Z"),
    "ORDER_NUMBER": st.from_regex(r"\A[A-Z]{2}-[0-9]{6,9}\Z"),
    "IP_ADDRESS": st.ip_addresses(v=4).map(str),
    "UUID": st.uuids().map(str),
}


def form_of(entity_type: str, value: str) -> str:
    """Digits and letters told apart, in a UUID hexadecimal digits from the rest."""
    return re.sub(r"[0-9a-f]", "0", value) if entity_type == "UUID" else re.sub(r"[A-Z]", "A", re.sub(r"\d", "0", value))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_stand_in_is_the_same_every_time_never_the_value_and_of_its_form(data: st.DataObject) -> None:
    entity_type = data.draw(st.sampled_from(sorted(SHAPED)))
    value = data.draw(SHAPED[entity_type])
    standin = replaced(entity_type, value)
    assert standin == Surrogates(KEY, countries=["us", "gb", "ca", "de", "fr", "au"]).replace(entity_type, value)
    assert standin != value
    if entity_type == "IP_ADDRESS":
        assert standin.startswith(("192.0.2.", "198.51.100.", "203.0.113."))
    else:
        assert form_of(entity_type, standin) == form_of(entity_type, value)
