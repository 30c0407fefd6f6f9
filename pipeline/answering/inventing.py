"""Make up conversations that nobody had: rare questions in other words, and messages that a team should turn away politely.

Off unless params give them a share. What is made up stands in parts of its own behind those of the table, so that no other part
changes, and is accounted for: every such conversation is `added` with its reason and with what it was made from.

- `paraphrase`: a question of a rare topic as another customer might have put it, under the answer that a person gave to the
  first. It stays in the cluster and with the customer of the first, so that no split separates them.
- `boundary`: a message of the shelf pipeline/boundaries, and a model's reply to it.

A part of the turns is a model's, so the conversations are never in a validation or test split.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from heapq import nsmallest
from itertools import islice
from typing import Any, Final, Literal, TypeVar

import polars as pl
from pydantic import Field

from pipeline.answering.acceptance import AcceptanceParams, find_fault, specifics
from pipeline.answering.asking import FAULTS
from pipeline.answering.provider_params import Settings
from pipeline.answering.request import PASSING, Answer, Gap, Message, Question, Reply, Request, Turn
from pipeline.answering.sending import Dialogue, Fetch
from pipeline.boundaries import load_boundary
from pipeline.params import Section
from pipeline.prompts import Prompt, load_prompt
from pipeline.schema import ADDED, ASKED, DEDUPED, GENERATED, REJECTED, conform, empty
from pipeline.stage import Outcome
from pipeline.tables import Table

T = TypeVar("T")

PARAPHRASE: Final = "paraphrase"
BOUNDARY: Final = "boundary"
"""Reasons for which a conversation is added, names of prompts, and origins of turns."""

LONGEST_QUESTION: Final = 2_000
"""Characters; a longer one is not put into other words."""

BY_PEOPLE: Final = frozenset({"human", "macro"})

LANGUAGE: Final = "en"
"""Of the shelf of boundaries."""


class ParaphraseParams(Section):
    """Rare questions in other words."""

    max_share: float = Field(ge=0, le=1)
    """Conversations added at most. Share of those that came in; 0: none."""

    max_topic_conversations: int = Field(ge=1)
    """Conversations up to which a topic is rare. A conversation counts by its rarest topic, one without a topic never."""


class BoundaryParams(Section):
    """Messages that are turned away politely."""

    max_share: float = Field(ge=0, le=1)
    """Conversations added at most. Share of those that came in; 0: none."""

    kinds: Sequence[Literal["off_topic", "impersonation", "prompt_injection", "abuse", "competitor"]]
    """Files of the shelf pipeline/boundaries, taken in turn."""


@dataclass(frozen=True)
class Idea:
    """A conversation that lacks the text of one turn."""

    reason: str
    source: str
    """What it is made from: a conversation, or kind and number of a message."""

    row: dict[str, Any]
    """The conversation as it will be."""

    place: int
    """The turn that a model writes."""

    asked: str
    """What the model is shown, and the text is held against."""

    how: str = ""
    """What a good text does, where the prompt does not say it alone."""


def rare_questions(table: Table, params: ParaphraseParams) -> Iterator[Idea]:
    """Questions of rare topics that people answered at once, of the rarest as many as the share allows, in the table's order."""
    wanted = int(params.max_share * table.manifest.total("kept"))
    if not wanted:
        return
    counts: Counter[str] = Counter()
    for part in table.manifest.parts:
        counts.update(table.read(part, columns=["topics"]).explode("topics")["topics"].drop_nulls().to_list())
    rare = [topic for topic, count in counts.items() if count <= params.max_topic_conversations]
    is_rare = pl.col("topics").list.eval(pl.element().is_in(rare)).list.any()

    def candidates() -> Iterator[tuple[int, str, Idea]]:
        for part in table.manifest.parts:
            rows = conform(table.read(part), DEDUPED, f"{table.folder}, {part.name}")
            for row in rows.filter(is_rare).iter_rows(named=True):
                if idea := _in_other_words(row):
                    draw = sha256(row["conversation_id"].encode()).hexdigest()
                    yield min(counts[topic] for topic in row["topics"]), draw, idea

    # read twice, so that no more than their places are held at once
    chosen = set(nsmallest(wanted, ((rarity, draw) for rarity, draw, _ in candidates())))
    yield from (idea for rarity, draw, idea in candidates() if (rarity, draw) in chosen)


def _in_other_words(row: dict[str, Any]) -> Idea | None:
    turns = row["turns"]
    asks = next((place for place, turn in enumerate(turns) if turn["speaker"] != "customer"), len(turns))
    answers = turns[asks:]
    asked = "\n".join(turn["text"] or "" for turn in turns[:asks]).strip()
    is_answered = answers and all(turn["speaker"] == "agent" and turn["origin"] in BY_PEOPLE for turn in answers)
    if not is_answered or not asked or len(asked) > LONGEST_QUESTION:
        return None
    first = {**turns[0], "text": None, "origin": PARAPHRASE}
    new = {**row, "conversation_id": f"{row['conversation_id']}-{PARAPHRASE}", "turns": [first, *answers]}
    return Idea(PARAPHRASE, row["conversation_id"], new, 0, asked)


def boundaries(conversations: int, params: BoundaryParams) -> list[Idea]:
    """As many messages of the shelf as the share of so many conversations allows, one of every kind in turn."""
    of_kinds = [[(kind, number) for number in range(len(load_boundary(kind).messages))] for kind in params.kinds]
    in_turn = sorted((place, order) for order, each in enumerate(of_kinds) for place in range(len(each)))
    chosen = [of_kinds[order][place] for place, order in in_turn]
    return [_turned_away(kind, number) for kind, number in chosen[: int(params.max_share * conversations)]]


def _turned_away(kind: str, number: int) -> Idea:
    shelf = load_boundary(kind)
    asked, source = shelf.messages[number], f"{kind}-{number + 1}"
    name = f"{BOUNDARY}-{sha256(asked.encode()).hexdigest()[:16]}"
    blank: dict[str, Any] = dict.fromkeys(GENERATED)
    turn = {"sent_at": None, "author_key": None, "origin": BOUNDARY, "generation": None, "call": None}
    row = blank | {
        "conversation_id": name,
        "cluster_id": name,
        "source": BOUNDARY,
        "source_file": f"{kind}.txt",
        "source_row": number + 1,
        "language": LANGUAGE,
        "topics": [],
        "outcome": {"resolved": None, "csat": None, "reopened": None},
        "turns": [
            {**turn, "turn_id": "t0", "speaker": "customer", "text": asked},
            {**turn, "turn_id": "t1", "speaker": "agent", "text": None},
        ],
    }
    return Idea(BOUNDARY, source, row, 1, asked, shelf.how)


def digest(ideas: Sequence[Idea]) -> str:
    """sha256 over everything that decides what becomes of them, but for params."""
    versions = [load_prompt(name).version for name in (PARAPHRASE, BOUNDARY)]
    return sha256(repr([versions, ideas]).encode()).hexdigest()


def invent(
    ideas: Sequence[Idea], provider: str, endpoint: str, fetch: Fetch, settings: Settings, acceptance: AcceptanceParams
) -> Outcome:
    """Have a model write what the ideas lack; what it writes is accepted like an answer.

    Returns:
        kept: the conversations that came about. added: why, and from what. beside: `rejected`, texts that were not accepted,
        and no row of `asked`, since nobody did. counts: added by reason, and those that did not come about.
    """
    done = fetch(_lead(idea, provider, endpoint, settings, acceptance) for idea in ideas)
    kept: list[dict[str, Any]] = []
    rejected: list[tuple[str, str, str, str]] = []
    counts: Counter[str] = Counter()
    for idea, (given, text) in zip(ideas, done, strict=True):
        if isinstance(given, Answer):
            kept.append(_written(idea, given))
            counts[f"added_{idea.reason}"] += 1
            continue
        counts[f"not_added_{given.reason}"] += 1
        counts[PASSING] += given.may_pass
        if text:
            rejected.append((idea.row["conversation_id"], idea.row["turns"][idea.place]["turn_id"], given.reason, text))
    sources = {idea.row["conversation_id"]: (idea.reason, idea.source) for idea in ideas}
    added = [(row["conversation_id"], *sources[row["conversation_id"]]) for row in kept]
    return Outcome(
        kept=conform(pl.DataFrame(kept, schema=dict(GENERATED)), GENERATED, "generate"),
        added=pl.DataFrame(added, schema=ADDED, orient="row"),
        beside={"asked": empty(ASKED), "rejected": pl.DataFrame(rejected, schema=REJECTED, orient="row")},
        counts={name: count for name, count in counts.items() if count},
    )


def _lead(
    idea: Idea, provider: str, endpoint: str, settings: Settings, acceptance: AcceptanceParams
) -> Dialogue[tuple[Answer | Gap, str]]:
    prompt = load_prompt(idea.reason)
    reply = yield _compose(idea, prompt, endpoint, settings)
    read = _read(reply, provider, prompt, settings)
    if isinstance(read, Gap):
        return read, ""
    language = idea.row["language"]
    question = Question(idea.row["conversation_id"], "", language, (Turn("", "customer", idea.asked),), ())
    fault = find_fault(question, read, acceptance, prompt.name, language and language[:2].lower())
    if fault:
        return Gap(fault.reason), read.text
    if idea.reason == PARAPHRASE and specifics(idea.asked) - specifics(read.text):
        return Gap("lost_specific"), read.text
    return read, read.text


def _compose(idea: Idea, prompt: Prompt, endpoint: str, settings: Settings) -> Request:
    said, model = settings.prompt, settings.model
    language = idea.row["language"]
    values = {"tone": said.tone, "max_words": said.max_words, "rules": said.rules, "how": idea.how}
    instructions = prompt.render(language=language, **values)
    messages = (Message("system", instructions), Message("user", idea.asked))
    return Request(
        endpoint, model.name, messages, model.temperature, model.max_tokens, model.length_field, model.seed, dict(model.extra)
    )


def _read(reply: Reply | Gap, provider: str, prompt: Prompt, settings: Settings) -> Answer | Gap:
    if isinstance(reply, Gap):
        return reply
    choice = reply.choices[0]
    if fault := FAULTS.get(choice.finish_reason):
        return Gap(fault)
    text = choice.text.strip()
    return Answer(text, provider, reply.model or settings.model.name, prompt.version, ()) if text else Gap("empty_reply")


def _written(idea: Idea, answer: Answer) -> dict[str, Any]:
    generation = {
        "provider": answer.provider,
        "model": answer.model,
        "prompt_version": answer.prompt_version,
        "grounding": [{"id": idea.source, "score": 1.0}],
    }
    turns = [dict(turn) for turn in idea.row["turns"]]
    turns[idea.place] |= {"text": answer.text, "generation": generation}
    return {**idea.row, "turns": turns}


def batches(items: Iterator[T], size: int) -> Iterator[Sequence[T]]:
    """The items in runs of at most `size`."""
    while batch := list(islice(items, size)):
        yield batch
