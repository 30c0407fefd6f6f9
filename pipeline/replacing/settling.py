"""Who keeps which draw, so that no stand-in is a real value and two values never share one.

The first pass of `scrub` writes, for every atom of a part, keyed hashes of the value and of its first draw. `settle` looks
for draws that hit a real value or each other and sends those atoms to their second, third, ... draw, by deferred
acceptance: a draw goes to the atom with the smallest keyed seed. The result is the one stable assignment (Gale and Shapley,
1962), so it depends on the set of values alone, not on the order of rows, parts or workers, nor on what an earlier run had
seen.
"""

from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType
from typing import Final

import polars as pl

from pipeline.replacing.atoms import Atom
from pipeline.replacing.keyed import Surrogates, draw
from pipeline.schema import empty

VALUES: Final[Mapping[str, pl.DataType | type[pl.DataType]]] = {
    "kind": pl.String,
    "shape": pl.String,
    "seed": pl.String,
    "value_hash": pl.UInt64,
    "draw_hash": pl.UInt64,
}
"""The atoms of a part without their values: what to draw from, the hash of the value, the hash of its first draw."""

BARRED: Final[Mapping[str, pl.DataType | type[pl.DataType]]] = {"seed": pl.String, "draw": pl.Int64}
"""Draws that hold, in part or whole, something known of a conversation in which their atom stands."""

TRIED: Final = 4
"""First draws that are looked at for that: the chance that all of them hold a given PIN is below 1e-12."""


def barred_frame(surrogates: Surrogates, together: Iterable[tuple[Iterable[Atom], Collection[str]]]) -> pl.DataFrame:
    """BARRED, given the atoms and the known values (normalised, 3 signs or more) of each conversation."""
    rows = {
        (surrogates.seed(atom), number)
        for atoms, known in together
        for atom in atoms
        for number in range(TRIED)
        if any(value in standin for standin in (surrogates.nth(atom, number),) for value in known)
    }
    return pl.DataFrame(sorted(rows), schema=dict(BARRED), orient="row")


def values_frame(surrogates: Surrogates, atoms: Iterable[Atom]) -> pl.DataFrame:
    """VALUES of these atoms, in the order of their seeds."""
    rows = [
        (
            atom.kind,
            atom.shape,
            seed,
            surrogates.value_hash(atom.value),
            surrogates.value_hash(draw(atom.kind, atom.shape, seed, 0)),
        )
        for atom in atoms
        if (seed := surrogates.seed(atom))
    ]
    return pl.DataFrame(rows, schema=dict(VALUES), orient="row").sort("seed")


def settle(
    values: pl.DataFrame,
    surrogates: Surrogates,
    barred: pl.DataFrame | None = None,
    first: Mapping[str, int] = MappingProxyType({}),
) -> dict[str, int]:
    """Give every atom a draw that is nobody's value and no other atom's: deferred acceptance in rounds.

    Args:
        values: VALUES of the whole corpus, each atom once, in any order.
        surrogates: hashes what is drawn, under the key of `values`.
        barred: BARRED of the whole corpus: draws that an atom may not have.
        first: seed -> number of the draw to begin with in place of 0: what it held before somebody was forgotten.
    Returns:
        seed -> number of the draw, for the atoms that may not have their first.
    """
    real = values.get_column("value_hash").unique().implode()
    looks = {seed: (kind, shape) for kind, shape, seed in values.select("kind", "shape", "seed").iter_rows()}
    proposals = values.select("seed", "draw_hash", draw=pl.lit(0, pl.Int64))
    proposals = _drawn(proposals, {seed: number for seed, number in first.items() if seed in looks}, looks, surrogates)
    no_go = (empty(BARRED) if barred is None else barred).select(pl.concat_str("seed", pl.lit(" "), "draw")).to_series().implode()
    while True:
        losers = proposals.filter(
            pl.col("draw_hash").is_in(real)
            | (pl.col("seed") != pl.col("seed").min().over("draw_hash"))
            | pl.concat_str("seed", pl.lit(" "), "draw").is_in(no_go)
        )
        if losers.is_empty():
            break
        again = {seed: number + 1 for seed, number in losers.select("seed", "draw").iter_rows()}
        proposals = _drawn(proposals, again, looks, surrogates)
    return dict(proposals.filter(pl.col("draw") > 0).sort("seed").select("seed", "draw").iter_rows())


def _drawn(
    proposals: pl.DataFrame, numbers: Mapping[str, int], looks: Mapping[str, tuple[str, str]], surrogates: Surrogates
) -> pl.DataFrame:
    """The proposals, with these seeds at the draws of these numbers."""
    if not numbers:
        return proposals
    rows = [(seed, surrogates.value_hash(draw(*looks[seed], seed, number)), number) for seed, number in numbers.items()]
    moved = pl.DataFrame(rows, schema=proposals.schema, orient="row")
    return pl.concat([proposals.join(moved, on="seed", how="anti"), moved])
