"""The same value has the same stand-in under one key, whatever it is."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.key import Key
from pipeline.replacing.keyed import Surrogates
from tests.build import KEY
from tests.pipeline.standins import replaced


def test_two_keys_share_no_stand_in() -> None:
    other = Surrogates(Key(b"another key of thirty-two bytes!"))
    assert other.replace("PERSON", "Crystal Minh") != replaced("PERSON", "Crystal Minh")


@settings(max_examples=200)
@given(
    st.text(max_size=40), st.sampled_from(["PERSON", "EMAIL_ADDRESS", "PHONE_NUMBER", "URL", "ORDER_NUMBER", "IP_ADDRESS", "PIN"])
)
def test_any_text_can_be_replaced_as_any_type(value: str, entity_type: str) -> None:
    assert isinstance(replaced(entity_type, value), str)


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
