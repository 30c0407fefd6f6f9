"""M06 answer stability, M07 ungrounded specifics, M14 volatile content."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import polars as pl

from checks.bounds import interval
from checks.readiness.clusters import similar_pairs
from checks.readiness.corpus import Corpus, draw
from checks.readiness.evidence import Evidence
from checks.readiness.lexicon import is_read, says, unread
from checks.readiness.masking import words_of
from checks.readiness.measured import MAX_RECORDS, Measured, Reading, share_of, unknown
from checks.readiness.settings import ReadinessParams
from checks.readiness.specifics import VOLATILE, normal, specifics_in
from pipeline.similarity.minhash import Array

SHINGLE: Final = 2
PER_BUCKET: Final = 4
SECONDS_PER_DAY: Final = 86_400
MIN_VALUE_PAIRS: Final = 100
LIKELIHOOD_RATIO: Final = 9.21
"""Chi-squared, 2 degrees of freedom, p = 0.01: pairs share questions, so a stricter level than usual."""


def read(corpus: Corpus, _evidence: Evidence, params: ReadinessParams) -> Reading:
    """How alike like questions are answered, now and over time; what answers state that a model cannot know."""
    stability, curve = _stability(corpus, params)
    return Reading((*stability, *_ungrounded(corpus, params), *_volatile(corpus, params)), {"agreement": curve})


# --- M06 ----------------------------------------------------------------------------------------------------------------


def _stability(corpus: Corpus, params: ReadinessParams) -> tuple[list[Measured], pl.DataFrame]:
    """Over all scrubbed conversations: dedupe has taken away those that agree, so the export would say too little."""
    names = ("agreement", "half_life_days", "outdated_share", "safe_cycle_days")
    answered = corpus.asked.filter(pl.col("answer").str.strip_chars() != "")
    pairs = agreement_pairs(answered, params)
    values = [Measured("M06", "agreement_pairs", float(pairs.height))]
    curve = _curve(pairs)
    if pairs.height < params.samples.min_agreement_pairs:
        why = f"{pairs.height} pairs of like questions, {params.samples.min_agreement_pairs} are needed"
        return [*values, *unknown("M06", why, *names)], curve
    values += [*_fitted(pairs, None, params), _value_agreement(pairs)]
    for (topic,), rows in pairs.filter(pl.col("topic").is_not_null()).group_by("topic", maintain_order=True):
        if rows.height >= params.samples.min_agreement_pairs:
            values += _fitted(rows, str(topic), params)
    return values, curve


def agreement_pairs(answered: pl.DataFrame, params: ReadinessParams) -> pl.DataFrame:
    """Pairs of like questions with an answer each, of one topic, and of two agents where they are known.

    One agent answers alike within a shift out of habit: such pairs would make every set look as if it aged within days.

    Returns:
        topic (where it is one), days (null where undated), agree, same_values (null unless both answers state values that
        their questions did not).
    """
    found = similar_pairs(answered["question"], params.similarity.min_question_jaccard, SHINGLE, params.seed, PER_BUCKET)
    agents = answered["agent_key"]
    one_agent = (agents.gather(found["left"]) == agents.gather(found["right"])).fill_null(value=False)
    topics = answered["topic"]
    # a greeting opens every topic; a pair across topics differs by topic, and topics come and go over time
    one_topic = topics.gather(found["left"]) == topics.gather(found["right"])
    found = found.filter(~one_agent & one_topic.fill_null(value=True))
    schema = {"topic": pl.String, "days": pl.Float64, "agree": pl.Boolean, "same_values": pl.Boolean}
    if found.is_empty():
        return pl.DataFrame(schema=schema)
    ids = answered["conversation_id"]
    names = ids.gather(found["left"]) + " " + ids.gather(found["right"])
    found = found.with_columns(draw=draw(names, params.seed)).sort("draw").head(params.samples.agreement_pairs)
    sides = [answered[found[side].to_list()] for side in ("left", "right")]
    days = (sides[0]["opened_at"] - sides[1]["opened_at"]).dt.total_seconds().abs() / SECONDS_PER_DAY
    columns = ("answer", "answer_values", "question_values")
    rows = list(zip(sides[0].select(columns).iter_rows(), sides[1].select(columns).iter_rows(), strict=True))
    same_values = [has_same_values(one, other) for one, other in rows]
    agree = [
        same is not False and has_same_words(one[0], other[0], params.similarity.same_answer_f1)
        for same, (one, other) in zip(same_values, rows, strict=True)
    ]
    return pl.DataFrame({"topic": sides[0]["topic"], "days": days, "agree": agree, "same_values": same_values}, schema=schema)


def has_same_words(one: str, other: str, same_f1: float) -> bool:
    """Whether two masked answers are one template, or share a token F1 of `same_f1`."""
    return one == other or token_f1(words_of(one), words_of(other)) >= same_f1


def has_same_values(one: Sequence[str], other: Sequence[str]) -> bool | None:
    """Whether two answers (masked, with values, and the question with values) state the same values, half of the fewer.

    None unless both state values that their question did not. F1 alone would call 10 dollars and 12 dollars one answer.
    """
    first, second = (specifics_in(side[1]) - specifics_in(side[2]) for side in (one, other))
    return 2 * len(first & second) >= min(len(first), len(second)) if first and second else None


def token_f1(one: list[str], other: list[str]) -> float:
    """Harmonic mean of precision and recall of words as a bag; 1 for two empty texts."""
    if not one and not other:
        return 1.0
    counts: dict[str, int] = {}
    for word in one:
        counts[word] = counts.get(word, 0) + 1
    common = 0
    for word in other:
        if counts.get(word, 0) > 0:
            counts[word] -= 1
            common += 1
    return 2 * common / (len(one) + len(other))


@dataclass(frozen=True)
class Decay:
    """P(agree) = floor + (start - floor) * 2 ** (-days / half_life)."""

    start: float
    floor: float
    half_life: float
    shown: bool
    """Whether the fall is more than chance."""

    def outdated(self, cycle: float) -> float:
        """Share of answers out of date over a cycle, on average, of those that agreed at its beginning.

        The share that ever ages is (start - floor) / start. Without it, answers that never age but for noise would have
        the half-life of the noise, and be called out of date.
        """
        if not self.shown or self.start <= 0 or cycle <= 0:
            return 0.0
        left = (1 - 2 ** (-cycle / self.half_life)) * self.half_life / (cycle * math.log(2))
        return max(0.0, (self.start - self.floor) / self.start * (1 - left))

    def safe_cycle(self, limit: float) -> float:
        """The longest cycle with an outdated share of `limit`; infinite where none reaches it. About 0.31 half-lives at 0.1."""
        if not self.shown or (self.start - self.floor) / max(self.start, 1e-9) <= limit:
            return math.inf
        low, high = 0.0, self.half_life
        while self.outdated(high) < limit:
            high *= 2
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if self.outdated(middle) < limit else (low, middle)
        return low


HALF_LIVES: Final = 120
"""Steps of the grid, evenly apart in their logarithm."""

PERMUTATIONS: Final = 99
COARSE: Final = 24
"""Steps of the grid that permuted pairs are fitted on."""


def fit_decay(days: Array, agree: Array, strata: Array | None = None, seed: int = 1) -> Decay:
    """The most likely decay, or a constant where the fall is no more than chance.

    With `strata` (a topic per pair) agreement is permuted within them, and the fall must be steeper than in each of 99
    permutations: topics that agree more and were asked within fewer days would look like a fall otherwise.
    """
    chosen, gain = _most_likely(days, agree, HALF_LIVES)
    mean = float(agree.mean())
    constant = Decay(mean, mean, math.inf, shown=False)
    if not chosen.shown:
        return constant
    if strata is not None and len(np.unique(strata)) > 1:
        _, gain = _most_likely(days, agree, COARSE)
        generator = np.random.default_rng(seed)
        order = np.argsort(strata, kind="stable")
        for _ in range(PERMUTATIONS):
            shuffled = np.empty_like(agree)
            shuffled[order] = agree[np.lexsort((generator.random(len(agree)), strata))]
            if _most_likely(days, shuffled, COARSE)[1] >= gain:
                return constant
    return chosen


def _most_likely(days: Array, agree: Array, steps: int) -> tuple[Decay, float]:
    """The best of a grid of half-lives from a quarter day to three spans, floor and start by least squares each.

    Returns:
        the decay; twice its gain in log-likelihood over a constant.
    """
    mean = float(agree.mean())
    span = max(float(days.max()), 1.0)
    flat = _log_likelihood(agree, np.full(len(agree), mean))
    best, chosen = flat, Decay(mean, mean, math.inf, shown=False)
    for half_life in np.geomspace(0.25, 3 * span, steps):
        age = 2.0 ** (-days / half_life)
        start, floor = _line(age, agree)
        likelihood = _log_likelihood(agree, floor + (start - floor) * age)
        if likelihood > best + 1e-9 and start > floor:
            best, chosen = likelihood, Decay(start, floor, float(half_life), shown=2 * (likelihood - flat) > LIKELIHOOD_RATIO)
    return chosen, 2 * (best - flat)


def _line(age: Array, agree: Array) -> tuple[float, float]:
    """Value at age 1 and at age 0 of the least-squares line, both in [0, 1]: where one would leave it, the other is refitted."""
    centred = age - age.mean()
    spread = float((centred**2).sum())
    mean = float(agree.mean())
    if spread < 1e-12:  # noqa: PLR2004  # all pairs are equally old
        return mean, mean
    slope = float((centred * (agree - mean)).sum()) / spread
    floor = mean - slope * float(age.mean())
    if floor < 0:
        return min(1.0, max(0.0, float((age * agree).sum() / (age**2).sum()))), 0.0
    start = floor + slope
    if start > 1:
        rest = 1 - age
        return 1.0, min(1.0, max(0.0, 1 - float((rest * (1 - agree)).sum() / (rest**2).sum())))
    return max(0.0, start), min(1.0, floor)


def _log_likelihood(agree: Array, probability: Array) -> float:
    p = np.clip(probability, 1e-3, 1 - 1e-3)
    return float(np.where(agree > 0, np.log(p), np.log1p(-p)).sum())


def _fitted(pairs: pl.DataFrame, topic: str | None, params: ReadinessParams) -> list[Measured]:
    names = ("half_life_days", "outdated_share", "safe_cycle_days")
    dated = pairs.drop_nulls("days")
    if dated.height < params.samples.min_agreement_pairs:
        share = share_of(pairs["agree"])
        low, high = interval(int(pairs["agree"].sum()), pairs.height)
        agreement = Measured("M06", "agreement", share, topic, low, high, pairs.height)
        return [agreement, *unknown("M06", "too few pairs are dated", *names, topic=topic)]
    days, agree = dated["days"].to_numpy(), dated["agree"].cast(pl.Float64).to_numpy()
    decay = fit_decay(days, agree, dated["topic"].fill_null("").rank("dense").to_numpy(), params.seed)
    span = float(days.max())
    n = dated.height
    values = [Measured("M06", "agreement", decay.start, topic, n=n)]
    if decay.shown and decay.half_life <= span / 3:
        values.append(Measured("M06", "half_life_days", decay.half_life, topic, n=n))
    else:
        why = f"longer than {span / 3:,.0f} days, a third of the observed span: stable within it"
        values += unknown("M06", why, "half_life_days", topic=topic)
    if span < params.retrain_every_days and not decay.shown:
        why = f"{span:,.1f} days are observed, the cycle is {params.retrain_every_days:g}"
        return [*values, *unknown("M06", why, "outdated_share", "safe_cycle_days", topic=topic)]
    values.append(Measured("M06", "outdated_share", decay.outdated(params.retrain_every_days), topic, n=n))
    cycle = decay.safe_cycle(params.limits.max_outdated_share)
    if math.isfinite(cycle):
        return [*values, Measured("M06", "safe_cycle_days", cycle, topic, n=n)]
    return [*values, *unknown("M06", "no cycle within the observed span is too long", "safe_cycle_days", topic=topic)]


def _value_agreement(pairs: pl.DataFrame) -> Measured:
    """Wording differs where people write freely, and says little; values that differ contradict."""
    told = pairs["same_values"].drop_nulls()
    if len(told) < MIN_VALUE_PAIRS:
        return unknown("M06", f"{len(told)} pairs state values, {MIN_VALUE_PAIRS} are needed", "value_agreement")[0]
    low, high = interval(int(told.sum()), len(told))
    return Measured("M06", "value_agreement", share_of(told), None, low, high, len(told))


def _curve(pairs: pl.DataFrame) -> pl.DataFrame:
    """Days (middle of a bin of equally many pairs), pairs, agreement."""
    schema = {"days": pl.Float64, "pairs": pl.Int64, "agreement": pl.Float64}
    dated = pairs.drop_nulls("days").sort("days", "agree")
    if dated.is_empty():
        return pl.DataFrame(schema=schema)
    bins = min(20, max(1, dated.height // 50))
    numbered = dated.with_columns(bin=(pl.int_range(pl.len()) * bins // pl.len()))
    return (
        numbered.group_by("bin")
        .agg(days=pl.col("days").median(), pairs=pl.len().cast(pl.Int64), agreement=pl.col("agree").mean())
        .sort("bin")
        .select(list(schema))
    )


# --- M07 ----------------------------------------------------------------------------------------------------------------


def _ungrounded(corpus: Corpus, params: ReadinessParams) -> list[Measured]:
    topic_of = dict(corpus.conversations.select("conversation_id", "topic").iter_rows())
    counted: dict[str, int] = {}
    ungrounded: dict[str, int] = {}
    records: dict[str, list[str]] = {}
    unseen = 0
    for answer in read_answers(corpus.turns, corpus.surrogates, params):
        topic = topic_of[answer.conversation]
        counted[topic] = counted.get(topic, 0) + 1
        unseen += answer.is_unseen
        if answer.is_ungrounded:
            ungrounded[topic] = ungrounded.get(topic, 0) + 1
            named = records.setdefault(topic, [])
            if named[-1:] != [answer.conversation]:  # answers of a conversation follow each other, in the order of the ids
                named.append(answer.conversation)
    answers, total = sum(counted.values()), sum(ungrounded.values())
    if not answers:
        return unknown("M07", "no answers", "ungrounded_share", "unseen_placeholder_share")
    low, high = interval(total, answers)
    everyone = tuple(sorted(one for named in records.values() for one in named)[:MAX_RECORDS])
    values = [
        Measured("M07", "ungrounded_share", total / answers, None, low, high, answers, records=everyone),
        Measured("M07", "unseen_placeholder_share", unseen / answers, n=answers),
    ]
    for topic, n in sorted(counted.items()):
        k, of_topic = ungrounded.get(topic, 0), tuple(records.get(topic, [])[:MAX_RECORDS])
        low, high = interval(k, n)
        values.append(Measured("M07", "ungrounded_share", k / n, topic, low, high, n, records=of_topic))
    return values


class Answer(NamedTuple):
    """What one answer states that a model cannot know."""

    conversation: str
    row: int
    """Of the turns it was read from."""
    is_ungrounded: bool
    """It states a specific that nothing before it holds."""
    is_unseen: bool
    """It states a stand-in of scrub that nothing before it holds."""


def read_answers(turns: pl.DataFrame, surrogates: Mapping[str, frozenset[str]], params: ReadinessParams) -> Iterator[Answer]:
    """Every answer among `turns`, which stand in the order of their conversations."""
    known_always = specifics_in(f"{params.system_prompt or ''} {params.tuned_prompt}")
    current, before, written = "", "", frozenset[str]()
    for row, (conversation, speaker, text) in enumerate(turns.select("conversation_id", "speaker", "text").iter_rows()):
        if conversation != current:
            current, before, written = conversation, "", surrogates.get(conversation, frozenset())
        lowered = text.lower()
        if speaker == "agent":
            may_state = any(map(str.isdigit, text)) or "www." in lowered or "http" in lowered
            is_ungrounded = may_state and bool(ungrounded_in(text, before, written) - known_always)
            is_unseen = any(value in lowered and value not in before for value in written)
            yield Answer(conversation, row, is_ungrounded, is_unseen)
        before += f" {lowered}"


LONG: Final = 5
"""Characters from which a value is also looked for inside words: 12 is part of 3124 by chance, AB-4711 is not."""


def ungrounded_in(answer: str, before: str, written: frozenset[str] = frozenset()) -> set[str]:
    """Specifics of an answer that nothing said before it holds; what scrub wrote is counted apart.

    >>> ungrounded_in("Your order 4711 costs 99 dollars.", "where is order 4711?")
    {'99'}
    """
    stated = specifics_in(answer)
    if not stated:
        return stated
    known = specifics_in(before)
    compact = before.replace(",", "")
    values = {normal(value) for value in written}
    return {
        one
        for one in stated
        if one not in known
        and one not in values
        and not (len(one) >= LONG and (one in compact or any(one in value for value in values)))
    }


def _volatile(corpus: Corpus, params: ReadinessParams) -> list[Measured]:
    answers = corpus.turns.filter(pl.col("speaker") == "agent").join(
        corpus.conversations.select("conversation_id", "topic", "language"), on="conversation_id"
    )
    if answers.is_empty():
        return unknown("M14", "no answers", "volatile_share")
    if why := unread(corpus.conversations, params.samples.max_unread_share, 1):
        return unknown("M14", why, "volatile_share")
    read_ones = answers.filter(is_read())
    flagged = read_ones.select("topic", volatile=pl.col("text").str.contains(VOLATILE) | says("volatile"))
    values = [Measured("M14", "volatile_share", share_of(flagged["volatile"]), n=flagged.height)]
    by_topic = flagged.group_by("topic").agg(share=pl.col("volatile").mean(), n=pl.len()).sort("topic")
    return [*values, *(Measured("M14", "volatile_share", share, topic, n=n) for topic, share, n in by_topic.iter_rows())]
