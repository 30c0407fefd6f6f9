"""Stand-ins for names agree in all their parts."""

import re

from pipeline.replacing.atoms import Atom
from pipeline.replacing.name_lists import given_names
from tests.pipeline.standins import STANDINS, replaced


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


def test_stand_ins_for_names_are_no_names_that_people_have() -> None:
    names = {STANDINS.drawn(Atom(kind, f"value{number}")) for kind in ("female", "male", "family") for number in range(3000)}
    assert not names & given_names().keys()
