"""From the sketches of many parts to the verdict on each of their conversations, the fewer looked at the fewer are new.

Of what an index knows, news touches the conversations that share a digest or a band key with a new one, their components,
and the conversations with the canned replies of those. To find them, 16 numbers of every old conversation are looked up
(0.1 s per million); only what is found is judged again.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import pairwise

import numpy as np
import polars as pl

from pipeline.similarity.clusters import CrowdError, buckets
from pipeline.similarity.hash_set import HashSet
from pipeline.similarity.index import LATEST, Index, in_order
from pipeline.similarity.minhash import Array
from pipeline.similarity.sketches import PartSketch, Places
from pipeline.similarity.verdicts import TEMPLATE, Known, Rule, judge, templates


def judge_parts(index: Index, keys: Sequence[str], rule: Rule) -> dict[str, str]:
    """Find the verdicts of these parts, all of them sketched, and write them; returns the digest of each verdict.

    Where the index knows parts of them already and none besides, only what the others may touch is judged again.
    """
    known = index.known.parts
    added = [key for key in keys if key not in known]
    if known and set(known) <= set(keys):
        if not added:
            return {key: entry.verdict for key, entry in known.items()}
        with suppress(CrowdError):
            return _News(index, list(known), added, rule).verdicts()
    parts = [index.sketch(key) for key in keys]
    whole = verdict_of_all(parts, rule)
    cuts = np.cumsum([0, *(part.count for part in parts)])
    return {key: index.keep_verdict(key, whole[int(a) : int(b)]) for key, (a, b) in zip(keys, pairwise(cuts), strict=True)}


def verdict_of_all(parts: Sequence[PartSketch], rule: Rule) -> pl.DataFrame:
    """VERDICT and TEMPLATE of all conversations of these parts, in their order."""
    places = Places.all_of(parts)
    rows = places.rows()
    verdict = judge(rows, places.keys_of, places.sets_of, rule)
    return verdict.hstack(_templates_of(rows, verdict["is_keeper"], rule))


class _News:
    """Judges what new parts may touch in an index, and nothing else."""

    def __init__(self, index: Index, old: Sequence[str], new: Sequence[str], rule: Rule) -> None:
        self._index, self._rule, self._keys = index, rule, [*old, *new]
        self._parts = [index.sketch(key) for key in self._keys]
        self._old = len(old)
        self._before: dict[int, pl.DataFrame] = {}

    def _verdict(self, number: int) -> pl.DataFrame:
        """The verdict that stood so far of the old part `number`."""
        if number not in self._before:
            key = self._keys[number]
            self._before[number] = self._index.verdict(key, self._index.known.parts[key].verdict)
        return self._before[number]

    def verdicts(self) -> dict[str, str]:
        old, new = self._parts[: self._old], self._parts[self._old :]
        touched = self._touching(old, new)
        touched = self._with_components(touched)
        everyone = [np.arange(part.count) for part in new]
        places = Places(self._parts, [*touched, *everyone])
        rows = places.rows()
        is_new = np.arange(rows.height) >= sum(map(len, touched))
        component = pl.concat(
            [
                *(self._verdict(number)["component"][picked] for number, picked in enumerate(touched) if len(picked)),
                pl.Series("component", [None] * int(is_new.sum()), pl.String),
            ]
        )
        known = Known(is_new, component, self._in_time(new))
        verdict = judge(rows, places.keys_of, places.sets_of, self._rule, known)
        fresh = self._patched([*touched, *everyone], verdict)
        self._judge_templates(fresh, rows)
        return self._kept(fresh)

    def _in_time(self, new: Sequence[PartSketch]) -> bool:
        latest = self._index.known.latest
        firsts = []
        for part in new:
            if part.count:
                at, name = part.rows().select(*LATEST).sort(*LATEST, nulls_last=True).row(0)
                firsts.append((at.isoformat() if at else None, str(name)))
        return latest is None or not firsts or min(map(in_order, firsts)) > in_order(latest)

    def _touching(self, old: Sequence[PartSketch], new: Sequence[PartSketch]) -> list[Array]:
        """Rows of the old parts that share a digest or a band key with a new conversation."""
        has_words = [part.column("words") > 0 for part in new]
        digests = HashSet(np.concatenate([part.column("digest_0")[some] for part, some in zip(new, has_words, strict=True)]))
        # of all bands at once: the number of the band is hashed into its keys
        keys = HashSet(np.concatenate([part.keys[:, some].ravel() for part, some in zip(new, has_words, strict=True)]))
        touched = []
        for part in old:
            hit = keys.within(part.keys.ravel()).reshape(part.keys.shape).any(axis=0) | digests.within(part.column("digest_0"))
            found = np.flatnonzero(hit)
            touched.append(found[part.column("words")[found] > 0] if len(found) else found)
        return touched

    def _with_components(self, touched: Sequence[Array]) -> list[Array]:
        """These rows and all others of their components."""
        known = [self._index.components(key) for key in self._keys[: self._old]]
        wanted = HashSet(np.concatenate([component[rows] for component, rows in zip(known, touched, strict=True)]))
        return [np.flatnonzero(wanted.within(component)) for component in known]

    def _patched(self, places: Sequence[Array], verdict: pl.DataFrame) -> dict[int, pl.DataFrame]:
        """The verdicts of all parts with a judged row, with the new values; templates as they were."""
        fresh: dict[int, pl.DataFrame] = {}
        start = 0
        for number, picked in enumerate(places):
            mine = verdict[start : start + len(picked)]
            start += len(picked)
            if number >= self._old:
                blank = pl.DataFrame({"template_id": [None] * mine.height, "is_capped": [False] * mine.height}, schema=TEMPLATE)
                fresh[number] = mine.hstack(blank)
            elif len(picked):
                fresh[number] = _with_rows(self._verdict(number), picked, mine)
        return fresh

    def _judge_templates(self, fresh: dict[int, pl.DataFrame], judged: pl.DataFrame) -> None:
        """Judge the canned replies again that a judged conversation has, in every part; changes `fresh`."""
        look = HashSet(judged.filter(pl.col("reply_0") != 0)["reply_0"].to_numpy())
        picked = [np.flatnonzero(look.within(part.column("reply_0"))) for part in self._parts]
        places = Places(self._parts, picked)
        rows = places.rows()
        if rows.height == 0:
            return
        is_keeper = pl.concat(
            [
                (fresh[number] if number in fresh else self._verdict(number))["is_keeper"][rows_]
                for number, rows_ in enumerate(picked)
                if len(rows_)
            ]
        )
        canned = _templates_of(rows, is_keeper, self._rule)
        start = 0
        for number, rows_ in enumerate(picked):
            mine = canned[start : start + len(rows_)]
            start += len(rows_)
            if len(rows_) == 0:
                continue
            before = fresh[number] if number in fresh else self._verdict(number)
            if not before.select(list(TEMPLATE))[rows_].equals(mine):
                fresh[number] = _with_rows(before, rows_, mine)

    def _kept(self, fresh: Mapping[int, pl.DataFrame]) -> dict[str, str]:
        found = {}
        for number, key in enumerate(self._keys):
            if number in fresh:
                found[key] = self._index.keep_verdict(key, fresh[number])
            else:
                found[key] = self._index.known.parts[key].verdict
        return found


def _templates_of(rows: pl.DataFrame, is_keeper: pl.Series, rule: Rule) -> pl.DataFrame:
    """TEMPLATE of all rows; null and false for those that are no keepers, or share no reply."""
    keeping = np.flatnonzero(is_keeper.to_numpy() & (rows["reply_0"] != 0).to_numpy())
    shared, _ = buckets(rows["reply_0"].gather(keeping).to_numpy())
    keeping = keeping[np.sort(shared)]
    blank = pl.DataFrame({"template_id": [None] * rows.height, "is_capped": [False] * rows.height}, schema=TEMPLATE)
    return _with_rows(blank, keeping, templates(rows[keeping], rule))


def _with_rows(frame: pl.DataFrame, rows: Array, values: pl.DataFrame) -> pl.DataFrame:
    """The frame with these rows replaced in the columns of `values`."""
    source = np.full(frame.height, -1)
    source[rows] = np.arange(len(rows))
    is_replaced = pl.Series(source >= 0)
    columns = []
    for name in frame.columns:
        if name in values.columns and len(rows):
            new = values[name].gather(np.maximum(source, 0))
            columns.append(new.zip_with(is_replaced, frame[name]).alias(name))
        else:
            columns.append(frame[name])
    return pl.DataFrame(columns)
