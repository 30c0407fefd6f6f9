"""Numbers in words are found where the same number in digits is found."""

import pytest

from tests.pipeline.scrubbing import found


@pytest.mark.parametrize(
    ("entity_type", "text", "values"),
    [
        ("PIN", "my pin is two two six one", ["two two six one"]),
        ("ACCOUNT_NUMBER", "account number triple four seven one double nine ok", ["triple four seven one double nine"]),
        ("TICKET_NUMBER", "case number is one oh four five five", ["one oh four five five"]),
        ("CREDIT_CARD", "card ends in four four eight one", ["four four eight one"]),
        ("CREDIT_CARD", " ".join(["four", *["one"] * 15]), [" ".join(["four", *["one"] * 15])]),
        ("US_SSN", "my ssn is five one two three four six seven eight nine", ["five one two three four six seven eight nine"]),
        (
            "PHONE_NUMBER",
            "its oh seven nine double four one two three four five six",
            ["oh seven nine double four one two three four five six"],
        ),
        ("PHONE_NUMBER", "call two one six, five five five, oh one nine nine", ["two one six, five five five, oh one nine nine"]),
        ("PHONE_NUMBER", "number O77OO 9OO 321", ["O77OO 9OO 321"]),
        ("ID_NUMBER", "three nine four", ["three nine four"]),
        ("ID_NUMBER", "it has nine eight seven six five on it", ["nine eight seven six five"]),
        ("ORDER_NUMBER", "order number x k four seven nine b", ["x k four seven nine b"]),
        ("STREET_ADDRESS", "my postcode is s w one a one a a", ["s w one a one a a"]),
        ("STREET_ADDRESS", "post code l s two seven e y", ["l s two seven e y"]),
        ("ORDER_NUMBER", "order number b as in bravo seven seven two oh", ["b as in bravo seven seven two oh"]),
        ("ID_NUMBER", "one two three hours", []),
        ("ORDER_NUMBER", "order one a day or two a week", []),
        ("ORDER_NUMBER", "i want to order four for two at five thirty", []),
        ("ORDER_NUMBER", "my order was thirty two dollars and ninety nine cents", []),
    ],
)
def test_a_number_in_words_is_the_number(entity_type: str, text: str, values: list[str]) -> None:
    assert found(text, entity_type) == values


def test_a_find_beside_a_number_in_words_keeps_its_place() -> None:
    text = "pin two two six one, mail jo@harbour.example, pin three three six one, then bo@harbour.example"
    assert found(text, "PIN") == ["two two six one", "three three six one"]
    assert found(text, "EMAIL_ADDRESS") == ["jo@harbour.example", "bo@harbour.example"]
