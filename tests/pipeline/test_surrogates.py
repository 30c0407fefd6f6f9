"""The same value has the same stand-in, two values never share one, and no stand-in is a real value."""

import ipaddress
import re

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.key import Key
from pipeline.surrogates import (
    Atom,
    Surrogates,
    barred_frame,
    dress,
    given_names,
    luhn_sum,
    normal_code,
    settle,
    shift_date,
    values_frame,
)
from tests.build import KEY

STANDINS = Surrogates(KEY, countries=["us", "gb", "ca", "de", "fr", "au"])


def replaced(entity_type: str, value: str) -> str:
    return STANDINS.replace(entity_type, value)


def test_the_parts_of_a_name_have_the_parts_of_its_stand_in() -> None:
    first, last = replaced("PERSON", "Crystal Minh").split()
    assert replaced("PERSON", "Crystal") == first
    assert replaced("PERSON", "Minh, Crystal") == f"{last}, {first}"


def test_a_stand_in_has_the_case_of_the_name() -> None:
    name = replaced("PERSON", "Crystal Minh")
    assert replaced("PERSON", "crystal minh") == name.lower()
    assert replaced("PERSON", "CRYSTAL MINH") == name.upper()


def test_titles_particles_and_possessives_stay() -> None:
    assert re.fullmatch(r"Dr\. \w+ van \w+'s", replaced("PERSON", "Dr. Crystal van Minh's"))


def test_the_address_of_a_person_agrees_with_the_name_and_leads_nowhere() -> None:
    first, last = replaced("PERSON", "crystal minh").split()
    address = replaced("EMAIL_ADDRESS", "crystal.minh@harbour-mail.example")
    assert re.fullmatch(rf"{first}\.{last}@[a-z]+\.example\.(com|net|org)", address)


@pytest.mark.parametrize("glued", ["johnsmith", "jsmith"])
def test_a_name_glued_together_in_an_address_is_taken_apart(glued: str) -> None:
    assert replaced("PERSON", "smith") in replaced("EMAIL_ADDRESS", f"{glued}@mail.example")


@pytest.mark.parametrize(
    ("number", "look"),
    [
        ("(212) 867-5309", r"\(\d{3}\) 555-01\d\d"),
        ("+1 212 867 5309", r"\+1 \d{3} 555 01\d\d"),
        ("1-212-867-5309", r"1-\d{3}-555-01\d\d"),
        ("+44 7911 123456", r"\+44 \d{4} \d{6}"),
        ("020 7946 1234", r"0\d\d \d{4} \d{4}"),
        ("+49 (0)30 1234567", r"\+49 \(0\)\d\d \d{7,8}"),
    ],
)
def test_telephone_numbers_keep_their_country_and_look_in_reserved_ranges(number: str, look: str) -> None:
    assert re.fullmatch(look, replaced("PHONE_NUMBER", number))


def test_a_number_is_one_value_with_and_without_its_country_code() -> None:
    assert normal_code(replaced("PHONE_NUMBER", "+1 212 867 5309")) == "1" + normal_code(replaced("PHONE_NUMBER", "212.867.5309"))
    assert replaced("PHONE_NUMBER", "+44 20 7946 1234")[-6:] == replaced("PHONE_NUMBER", "020 7946 1234")[-6:]


@pytest.mark.parametrize("card", ["4111 1111 1111 1111", "5500-0000-0000-0004", "378282246310005", "6011111111111117"])
def test_cards_keep_brand_length_and_look_and_fail_their_check(card: str) -> None:
    standin = replaced("CREDIT_CARD", card)
    assert re.sub(r"\d", "0", standin) == re.sub(r"\d", "0", card)
    assert standin[0] == card[0]
    assert luhn_sum(normal_code(standin)) % 10


def test_no_iban_adds_up_whatever_the_key_draws() -> None:
    for number in range(500):
        code = replaced("IBAN_CODE", f"GB82WEST{number:014d}")
        assert int("".join(str(int(sign, 36)) for sign in code[4:] + code[:4])) % 97 != 1, code


def test_ibans_keep_their_country_and_fail_their_check() -> None:
    standin = replaced("IBAN_CODE", "GB82 WEST 1234 5698 7654 32")
    assert re.fullmatch(r"GB00 [A-Z]{4} \d{4} \d{4} \d{4} \d\d", standin)


def test_computers_get_addresses_of_documentation() -> None:
    assert any(
        ipaddress.ip_address(replaced("IP_ADDRESS", "81.2.69.160")) in ipaddress.ip_network(network)
        for network in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")
    )
    assert ipaddress.ip_address(replaced("IP_ADDRESS", "2a02:6b8::1")) in ipaddress.ip_network("2001:db8::/32")


def test_codes_keep_their_shape() -> None:
    assert re.fullmatch(r"[A-Z]{2}-\d{5}/[a-z]", replaced("ORDER_NUMBER", "AB-10423/x"))


def test_full_width_digits_are_the_same_number() -> None:
    assert replaced("ACCOUNT_NUMBER", "\uff18\uff15\uff17\uff13\uff11") == replaced("ACCOUNT_NUMBER", "85731")


def test_two_keys_share_no_stand_in() -> None:
    other = Surrogates(Key(b"another key of thirty-two bytes!"))
    assert other.replace("PERSON", "Crystal Minh") != replaced("PERSON", "Crystal Minh")


@pytest.mark.parametrize("length", [1, 2, 3])
def test_short_numbers_change_places_in_a_circle(length: int) -> None:
    space = [f"{number:0{length}d}" for number in range(10**length)]
    standins = [STANDINS.drawn(Atom("short", value)) for value in space]
    assert sorted(standins) == space
    assert all(value != standin for value, standin in zip(space, standins, strict=True))


ATOMS = (
    {Atom("shape", f"{number:04d}", "####") for number in range(0, 9000, 3)}
    | {Atom("phone_1", f"212867{number:04d}", "#" * 10) for number in range(1500)}
    | {Atom("ipv4", f"10.0.{number // 250}.{number % 250}") for number in range(900)}
    | {Atom("family", f"name{number}") for number in range(500)}
)


def draws(atoms: set[Atom], moved: dict[str, int]) -> dict[Atom, str]:
    settled = Surrogates(KEY, moved)
    return {atom: settled.drawn(atom) for atom in atoms}


def test_no_stand_in_is_a_real_value_or_anothers_stand_in_even_where_the_space_is_nearly_full() -> None:
    standins = draws(ATOMS, settle(values_frame(STANDINS, ATOMS), STANDINS))
    assert len(set(standins.values())) == len(ATOMS)
    assert not set(standins.values()) & {atom.value for atom in ATOMS}


def test_the_order_of_values_decides_nothing() -> None:
    frame = values_frame(STANDINS, ATOMS)
    assert settle(frame.sample(fraction=1, shuffle=True, seed=7), STANDINS) == settle(frame, STANDINS)


def test_a_draw_that_nobody_else_wants_is_kept_when_values_are_added() -> None:
    some = {atom for atom in ATOMS if atom.kind == "family"}
    before, after = (draws(some, settle(values_frame(STANDINS, atoms), STANDINS)) for atoms in (some, ATOMS))
    assert before == after


def test_a_barred_draw_is_not_used() -> None:
    atom = Atom("shape", "85731890", "########")
    first = STANDINS.drawn(atom)
    barred = barred_frame(STANDINS, [([atom], {first[2:6]})])
    moved = settle(values_frame(STANDINS, [atom]), STANDINS, barred)
    assert first[2:6] not in draws({atom}, moved)[atom]
    assert barred_frame(STANDINS, [([atom], {"zzzz"})]).is_empty()


@pytest.mark.parametrize(
    ("date", "moved"),
    [
        ("2026-02-27", "2026-03-06"),
        ("02/27/2026", "03/06/2026"),
        ("27.02.2026", "06.03.2026"),
        ("2/27/26", "3/6/26"),
        ("27 February 2026", "6 March 2026"),
        ("Feb 27th, 2026", "Mar 6th, 2026"),
        ("27-FEB-2026", "06-MAR-2026"),
    ],
)
def test_dates_move_in_their_own_look(date: str, moved: str) -> None:
    assert shift_date(date, 7, day_first=False) == moved


@pytest.mark.parametrize("no_date", ["31/06/1996", "99/99/9999", "soon", "2026", "27 Brumaire 2026", "31/12/9999"])
def test_what_is_no_date_of_the_calendar_is_not_moved(no_date: str) -> None:
    assert shift_date(no_date, 7, day_first=True) is None


@pytest.mark.parametrize(("date", "day_first", "moved"), [("3/4/2026", True, "10/4/2026"), ("3/4/2026", False, "3/11/2026")])
def test_params_say_whether_the_day_stands_first(date: str, day_first: bool, moved: str) -> None:
    assert shift_date(date, 7, day_first=day_first) == moved


@pytest.mark.parametrize("customer", [f"customer-{number}" for number in range(30)])
def test_dates_of_a_customer_move_by_whole_weeks_but_never_by_none(customer: str) -> None:
    days = STANDINS.days_for(customer, 4)
    assert days % 7 == 0
    assert 7 <= abs(days) <= 28


def test_stand_ins_for_names_are_no_names_that_people_have() -> None:
    names = {STANDINS.drawn(Atom(kind, f"value{number}")) for kind in ("female", "male", "family") for number in range(3000)}
    assert not names & given_names().keys()


@settings(max_examples=200)
@given(
    st.text(max_size=40), st.sampled_from(["PERSON", "EMAIL_ADDRESS", "PHONE_NUMBER", "URL", "ORDER_NUMBER", "IP_ADDRESS", "PIN"])
)
def test_any_text_can_be_replaced_as_any_type(value: str, entity_type: str) -> None:
    assert isinstance(replaced(entity_type, value), str)


def test_a_longer_stand_in_is_appended_and_a_shorter_one_leaves_no_dangling_signs() -> None:
    assert dress("123456", "12-34") == "12-3456"
    assert dress("12", "12-34") == "12"


def test_values_frame_holds_no_value() -> None:
    frame = values_frame(STANDINS, [Atom("family", "minh"), Atom("shape", "85731890", "########")])
    assert frame.schema["value_hash"] == pl.UInt64
    assert not any("minh" in str(row) or "85731890" in str(row) for row in frame.iter_rows())
