"""No stand-in is a real value, and two values never share one."""

import polars as pl

from pipeline.replacing.atoms import Atom
from pipeline.replacing.keyed import Surrogates
from pipeline.replacing.settling import barred_frame, settle, values_frame
from tests.build import KEY
from tests.pipeline.standins import STANDINS

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


def test_values_frame_holds_no_value() -> None:
    frame = values_frame(STANDINS, [Atom("family", "minh"), Atom("shape", "85731890", "########")])
    assert frame.schema["value_hash"] == pl.UInt64
    assert not any("minh" in str(row) or "85731890" in str(row) for row in frame.iter_rows())


def test_who_stays_keeps_their_draws_when_somebody_is_forgotten() -> None:
    every = draws(ATOMS, moved := settle(values_frame(STANDINS, ATOMS), STANDINS))
    rest = {atom for atom in ATOMS if int.from_bytes(atom.value.encode()[-2:], "big") % 7}
    held = {seed: number for seed, number in moved.items() if seed in {STANDINS.seed(atom) for atom in rest}}
    assert draws(rest, settle(values_frame(STANDINS, rest), STANDINS, first=held)) == {atom: every[atom] for atom in rest}
    assert draws(rest, settle(values_frame(STANDINS, rest), STANDINS)) != {atom: every[atom] for atom in rest}
