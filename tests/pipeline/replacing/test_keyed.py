"""The same value has the same stand-in under one key, whatever it is."""

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.key import Key
from pipeline.replacing.keyed import Surrogates
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
