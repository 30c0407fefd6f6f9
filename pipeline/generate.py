"""Answer what nobody answered: conversations in which a customer has the last word get one synthetic turn, or a named gap.

Questions and answers rest on the scrubbed text of the whole table: an index over answered conversations is built first,
then every part is made in turn. A part without an open conversation does not depend on the index, and is used again as
long as it does not change; the others are made again when any answer in the index changed, at the cost of a search, not
of a model: replies are kept by the hash of the whole request.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from hashlib import sha256
from itertools import count, groupby
from pathlib import Path
from typing import Any, Final, Self, TypeVar

import polars as pl
from pydantic import field_validator, model_validator

from pipeline.answering.acceptance import MACRO, AcceptanceParams, Sayings, find_fault, find_fault_of_a_person
from pipeline.answering.asking import ask_each
from pipeline.answering.batch import under_way
from pipeline.answering.embedding import Rescore
from pipeline.answering.estimating import Estimate, add_up
from pipeline.answering.inventing import (
    BoundaryParams,
    Idea,
    ParaphraseParams,
    batches,
    boundaries,
    digest,
    invent,
    rare_questions,
)
from pipeline.answering.judging import name_of
from pipeline.answering.knowledge import Knowledge, KnowledgeParams, load_knowledge
from pipeline.answering.provider_params import Settings
from pipeline.answering.replies import Replies
from pipeline.answering.request import PASSING, Answer, Answerer, Candidates, Gap, Hit, Question, Request, Settle, Settled, Turn
from pipeline.answering.retrieval import Exchange, Found, Index, RetrievalParams
from pipeline.answering.sending import Dialogue, Ended, run_on
from pipeline.errors import AccountingError
from pipeline.parts import Means
from pipeline.prompts import load_prompt
from pipeline.providers import FETCHERS, PROVIDERS, find_meaning
from pipeline.schema import ASKED, DEDUPED, DROPPED, GENERATED, REJECTED, TURN, conform, empty
from pipeline.stage import Outcome
from pipeline.tables import Manifest, Part, Table, TableWriter, new_table

REPLIES_OF_A_MODEL: Final = ("prompt", "model", "openai", "judge")
PACE: Final = ("pace", "budget", "prices", "replies", "replay", "mode", "batch")
"""Fields of the params that change how replies are got, not which."""

ANSWERERS: Final = ("agent", "bot")

LONGEST_TEXT: Final = 2_000
"""Characters of a question or an answer in the index; longer answers are left out, of longer questions the end counts."""

ROWS_PER_PART: Final = 20_000
"""Conversations that are made up of one part at most, as many as ingest puts into one."""

LOOKED_UP_AT_ONCE: Final = 32
"""Questions; while they are looked up, no reply is read."""

READ: Final = (
    "conversation_id",
    "language",
    pl.col("turns").list.eval(pl.struct(*map(pl.element().struct.field, ("turn_id", "speaker", "text")))),
)
"""What a question is made of."""

T = TypeVar("T")


Find = Callable[[Iterable[Question]], Iterator[Question]]
"""The same questions with what they resemble, a few at a time, so that the first are asked while others are looked up."""


class GenerateParams(Settings):
    """How unanswered customers get an answer."""

    provider: str
    """Who answers: a name on the shelf pipeline/providers."""

    keep_answered_part: bool
    """What becomes of a conversation that an agent did answer, but not to its end, when there is no answer to the last
    customer turn: true keeps it as it is, false drops it like one that nobody ever answered."""

    acceptance: AcceptanceParams
    """What an answer must be like."""

    retrieval: RetrievalParams
    """How the team's own answers are found."""

    knowledge: KnowledgeParams
    """Where the team's knowledge is, and when a passage of it counts."""

    paraphrases: ParaphraseParams
    """Rare questions in other words, added to what came in."""

    boundaries: BoundaryParams
    """Messages that are turned away politely, added to what came in."""

    @field_validator("provider")
    @classmethod
    def _is_on_the_shelf(cls, name: str) -> str:
        if name not in PROVIDERS:
            raise ValueError(f"no such provider; one of {', '.join(PROVIDERS)}")
        return name

    @model_validator(mode="after")
    def _can_invent(self) -> Self:
        if self.provider not in FETCHERS and (self.paraphrases.max_share or self.boundaries.max_share):
            raise ValueError(f"paraphrases and boundaries need a provider that asks a model: {', '.join(FETCHERS)}")
        return self

    def deciding(self) -> str:
        """Fingerprint of what decides an answer; the version of the prompt is part of it where a model is asked."""
        if self.provider in {"nearest", "file"}:
            answers = self.file.answers.read_bytes() if self.provider == "file" and self.file.answers.is_file() else b""
            unused = {*REPLIES_OF_A_MODEL, *PACE, "file"} - ({"openai"} if self.embedding else set())
            return self.fingerprint(sha256(answers).hexdigest(), leave_out=frozenset(unused))
        more = [load_prompt(self.prompt.name).version, load_prompt("repair").version]
        if self.judge:
            labels = self.judge.labels
            more += [name_of(self), sha256(labels.read_bytes() if labels.is_file() else b"").hexdigest()]
        return self.fingerprint(*more, leave_out=frozenset((*PACE, "file")))


def generate(conversations: pl.DataFrame, find: Find, answer: Answerer, params: GenerateParams) -> Outcome:
    """Put one synthetic turn under every conversation in which a customer has the last word; the others pass unchanged.

    Args:
        conversations: `deduped`, one row per conversation; reads conversation_id, language, turns.
        find: adds to questions what they resemble.
        answer: the provider.
        params: what becomes of a conversation without an answer.
    Returns:
        kept: the same columns; the new turn has speaker agent, origin synthetic, its `generation`, no author, no time.
        dropped: the reason is that of the gap. beside: `asked`, one row per open conversation;
        `rejected`, the answers that were not accepted.
    """
    rows = conversations.filter(_is_open()).select(READ)
    if rows.is_empty():
        return Outcome(conversations, beside={"asked": empty(ASKED), "rejected": empty(REJECTED)})
    questions, said = list[Question](), Sayings(params.acceptance)

    def note(question: Question) -> Question:
        questions.append(question)
        return question

    found = find(map(_question, rows.iter_rows(named=True)))
    settled = list(answer(map(note, found), partial(_settle, params, said)))
    if not len(settled) == len(questions) == rows.height:
        raise AccountingError(f"generate: {params.provider} gave {len(settled)} answers to {rows.height} questions")
    pairs, rejected = _without_repeats(list(zip(questions, settled, strict=True)), said)
    asked = pl.DataFrame([_fate(question, given, params) for question, given in pairs], schema=ASKED, orient="row")
    new = {question.conversation_id: _turn(question, given) for question, given in pairs if isinstance(given, Answer)}
    gone = asked.filter(pl.col("fate") == "dropped")
    may_pass = sum(isinstance(given, Gap) and given.may_pass for _, given in pairs)
    judged = Counter(f"judged_{each.judged}" for each in settled if each.judged)
    unsaid = Counter(f"asked_without_{field}" for _, given in pairs if isinstance(given, Answer) for field in given.without)
    fates = {str(fate): int(count) for fate, count in asked.group_by("fate").len().rows()}
    return Outcome(
        kept=_append(conversations.filter(~pl.col("conversation_id").is_in(gone["conversation_id"].implode())), new),
        dropped=gone.select(list(DROPPED)),
        beside={"asked": asked, "rejected": rejected},
        counts=fates | judged | unsaid | ({PASSING: may_pass} if may_pass else {}),
    )


def _settle(params: GenerateParams, said: Sayings, question: Question, candidates: Candidates) -> Settled:
    """The first sound candidate, else a gap named after the fault of the first."""
    prompt = None if params.provider == "nearest" else params.prompt.name
    gap: Gap | None = None
    rejected: list[tuple[str, str]] = []
    for candidate in candidates:
        fault = (
            find_fault_of_a_person(question, candidate)
            if candidate.is_human
            else find_fault(question, candidate, params.acceptance, prompt, params.prompt.language)
        )
        if fault is None:
            if not candidate.is_human:
                said.note(question.conversation_id, candidate.text)
            return Settled(candidate, tuple(rejected))
        # what a person typed names somebody; it never went through scrub and stays out of the table
        rejected.append((fault.reason, "" if candidate.is_human else candidate.text))
        gap = gap or Gap(fault.reason, fault.detail, may_pass=candidate.is_human)
    assert gap is not None
    return Settled(gap, tuple(rejected))


def _without_repeats(
    pairs: Sequence[tuple[Question, Settled]], said: Sayings
) -> tuple[list[tuple[Question, Answer | Gap]], pl.DataFrame]:
    """What became of every question, and the answers that were not taken; of answers that say the same, too many are not."""
    repeats = said.find_repeats(
        question.conversation_id for question, each in pairs if isinstance(each.given, Answer) and not each.given.is_human
    )
    chosen: list[tuple[Question, Answer | Gap]] = []
    rejected: list[tuple[str, str, str, str]] = []
    for question, each in pairs:
        given, where = each.given, (question.conversation_id, question.turn_id)
        rejected += [(*where, reason, text) for reason, text in each.rejected]
        if isinstance(given, Answer) and question.conversation_id in repeats:
            rejected.append((*where, "repeated", given.text))
            given = Gap("repeated")
        chosen.append((question, given))
    return chosen, pl.DataFrame(rejected, schema=REJECTED, orient="row")


def run(source: Path, target: Path, params: GenerateParams, means: Means) -> Manifest:
    """Answer customers whom nobody answered, from what the team answered others.

    ticketmill generate data/curated/deduped data/curated/generated
    """
    table = Table(source)
    table.require_stage("scrub")
    parts = table.manifest.parts
    with_questions = {part.name for part in parts if table.read(part, columns=["turns"]).select(_is_open().any()).item()}
    index = build_index(table, params.retrieval) if with_questions else Index([], params.retrieval)
    knowledge = _knowledge(params, means)
    answer = PROVIDERS[params.provider](params)
    find = _search(index, knowledge, params, find_meaning(params), _asked_by(table) if params.provider == "file" else {})
    with new_table(target, "generate", params.deciding(), given=table) as writer:
        made: list[Part] = []
        for number, part in enumerate(parts):
            means.progress(number, len(parts))
            inputs = {part.name: part.files["kept"]}
            if part.name in with_questions:
                # labels in the order of the alphabet: a manifest sorts them, and parts are compared value by value
                inputs = {"index": index.checksum, "knowledge": knowledge.checksum, **inputs}
            name = f"part-{number:05d}"
            made.append(writer.reuse(name, inputs) or _make(writer, name, inputs, table, part, find, answer, params))
        for ideas in batches(_ideas(table, params), ROWS_PER_PART):
            name, inputs = f"part-{len(made):05d}", {"ideas": digest(ideas)}
            made.append(writer.reuse(name, inputs) or _make_up(writer, name, inputs, ideas, params))
        means.progress(len(parts), len(parts))
        return writer.publish(made)


def _ideas(table: Table, params: GenerateParams) -> Iterator[Idea]:
    yield from rare_questions(table, params.paraphrases)
    yield from boundaries(table.manifest.total("kept"), params.boundaries)


def _make_up(writer: TableWriter, name: str, inputs: dict[str, str], ideas: Sequence[Idea], params: GenerateParams) -> Part:
    endpoint, fetch = FETCHERS[params.provider](params)
    outcome = invent(ideas, params.provider, endpoint, fetch, params, params.acceptance)
    outcome.account_for(empty(DEDUPED)["conversation_id"], f"generate, {name}")
    return writer.write(name, _with_gaps(inputs, outcome), outcome)


def _with_gaps(inputs: dict[str, str], outcome: Outcome) -> dict[str, str]:
    """Inputs no run asks for, where gaps may pass: the next one makes this part again."""
    gaps = outcome.counts.get(PASSING)
    return {**inputs, "gaps": str(gaps)} if gaps else inputs


def answering(table: Table, params: GenerateParams, means: Means) -> Callable[[pl.DataFrame], Outcome]:
    """What `run` does to a part, for conversations that are in no table: answers rest on what `table` holds.

    Raises:
        TableError: the table is not finished, or was never scrubbed.
    """
    table.require_stage("scrub")
    knowledge = _knowledge(params, means)
    find = _search(build_index(table, params.retrieval), knowledge, params, find_meaning(params), {})
    answer = PROVIDERS[params.provider](params)
    return lambda conversations: generate(conversations, find, answer, params)


def _knowledge(params: GenerateParams, means: Means) -> Knowledge:
    knowledge = load_knowledge(params.knowledge)
    if params.provider == "openai" or params.embedding:
        knowledge.require_nobody(means.details)
    return knowledge


def estimate(source: Path, params: GenerateParams) -> Estimate:
    """Count what `run` would send, embeddings aside, and send nothing.

    Raises:
        TableError: the table is not finished, or was never scrubbed.
    """
    table = Table(source)
    table.require_stage("scrub")
    unsent: dict[str, Request] = {}
    questions = 0

    def note(dialogues: Iterable[Dialogue[T]]) -> list[T]:
        ended: list[T] = []
        with Replies(params.replies) as replies:
            sent = under_way(replies) if params.mode == "batch" else frozenset()
            for dialogue in dialogues:
                step = run_on(dialogue, replies, None)
                while not isinstance(step, Ended):
                    if step.key not in sent:
                        unsent[step.key] = step
                    step = run_on(dialogue, replies, Gap("not_sent"))
                ended.append(step.value)
        return ended

    find = _search(build_index(table, params.retrieval), load_knowledge(params.knowledge), params, None, {})
    answer: Answerer = _ask_nobody
    if params.provider in FETCHERS:
        endpoint, _ = FETCHERS[params.provider](params)
        answer = ask_each(params.provider, endpoint, params, note)
    for part in table.manifest.parts:
        outcome = generate(conform(table.read(part), DEDUPED, f"{table.folder}, {part.name}"), find, answer, params)
        questions += outcome.beside["asked"].height
    for ideas in batches(_ideas(table, params), ROWS_PER_PART):
        endpoint, _ = FETCHERS[params.provider](params)
        invent(ideas, params.provider, endpoint, note, params, params.acceptance)
    return add_up(questions, list(unsent.values()), params)


def _ask_nobody(questions: Iterable[Question], _settle: Settle) -> Sequence[Settled]:
    return [Settled(Gap("not_sent")) for _ in questions]


def _make(
    writer: TableWriter,
    name: str,
    inputs: dict[str, str],
    table: Table,
    part: Part,
    find: Find,
    answer: Answerer,
    params: GenerateParams,
) -> Part:
    given = conform(table.read(part), DEDUPED, f"{table.folder}, {part.name}")
    outcome = generate(given, find, answer, params)
    outcome.account_for(given["conversation_id"], f"generate, {part.name}")
    return writer.write(name, _with_gaps(inputs, outcome), outcome)


def build_index(table: Table, params: RetrievalParams) -> Index:
    """An index over the answered conversations of a table: what a customer had said so far, and what an agent answered.

    Left out: open conversations, answers of bots and of this stage, answers with an unfilled placeholder, and answers in
    which scrub replaced a personal detail, since what stands there now belongs to nobody who would be given the answer.
    """
    parts = table.manifest.parts
    if not parts:
        return Index([], params)
    ids = table.scan().filter(~_is_open()).select("conversation_id").bottom_k(params.max_indexed, by="conversation_id").collect()
    personal = _personal_turns(table, ids)
    exchanges: list[Exchange] = []
    for part in parts:
        rows = table.read(part, columns=["conversation_id", "turns"]).join(ids, on="conversation_id", how="semi")
        for row in rows.iter_rows(named=True):
            exchanges += _exchanges(row["conversation_id"], row["turns"] or [], personal)
    return Index(sorted(exchanges, key=lambda exchange: exchange.id)[: params.max_indexed], params)


def _personal_turns(table: Table, ids: pl.DataFrame) -> set[tuple[str, str]]:
    scrubbed = next(each for each in reversed(table.line()) if each.manifest.stage == "scrub")
    if not any("findings" in part.files for part in scrubbed.manifest.parts):
        return set()
    found = scrubbed.scan("findings").select("conversation_id", "turn_id")
    return set(found.join(ids.lazy(), on="conversation_id", how="semi").unique().collect().rows())


def _exchanges(conversation_id: str, turns: Sequence[dict[str, Any]], personal: set[tuple[str, str]]) -> Iterator[Exchange]:
    said: list[str] = []
    heard = (turn for turn in turns if turn["speaker"] == "customer" or turn["speaker"] in ANSWERERS)
    for speaker, together in groupby(heard, key=lambda turn: str(turn["speaker"])):
        run = list(together)
        if speaker == "customer":
            said += [turn["text"] or "" for turn in run]
            continue
        text = "\n".join(turn["text"] or "" for turn in run).strip()
        is_ours = speaker == "agent" and all(turn["origin"] in {"human", "macro"} for turn in run)
        is_personal = any((conversation_id, turn["turn_id"]) in personal for turn in run)
        is_whole = text and len(text) <= LONGEST_TEXT and not MACRO.search(text)
        if said and is_ours and not is_personal and is_whole:
            yield Exchange(f"{conversation_id}/{run[0]['turn_id']}", "\n".join(said)[-LONGEST_TEXT:], text)


def _asked_by(table: Table) -> Mapping[str, int]:
    """Of conversations that dedupe kept for others, the number of all that it found to be the same."""
    deduped = next((each for each in reversed(table.line()) if each.manifest.stage == "dedupe"), None)
    if deduped is None or not all("clusters" in part.files for part in deduped.manifest.parts):
        return {}
    return dict(deduped.scan("clusters").group_by("cluster_id").len().collect().rows())


def _search(
    index: Index,
    knowledge: Knowledge,
    params: GenerateParams,
    rescore: Rescore | None,
    asked_by: Mapping[str, int],
) -> Find:
    style = params.prompt.style_examples if params.provider in FETCHERS else 0
    more = params.embedding.candidates if params.embedding and rescore else 0

    def find(questions: Iterable[Question]) -> Iterator[Question]:
        # embeddings are asked for all together, before anything else is sent
        for some in batches(iter(questions), ROWS_PER_PART if rescore else LOOKED_UP_AT_ONCE):
            asked = [_asked_in(question) for question in some]
            exchanges, passages = index.find(asked, max(style, more)), knowledge.find(asked, more)
            if rescore:
                exchanges = _bounded(
                    rescore(asked, exchanges), exchanges, params.retrieval.min_similarity, params.retrieval.max_hits
                )
                passages = _bounded(rescore(asked, passages), passages, params.knowledge.min_relevance, params.knowledge.max_hits)
            for question, said, written in zip(some, exchanges, passages, strict=True):
                hits = tuple(sorted((*said.hits, *written.hits), key=lambda hit: (-hit.score, hit.id)))
                often = asked_by.get(question.conversation_id, 1)
                yield replace(question, hits=hits, style=said.others[:style], asked_by=often)

    return find


def _bounded(rescored: Sequence[Sequence[Hit]], found: Sequence[Found], min_score: float, max_hits: int) -> list[Found]:
    both: list[Found] = []
    for ranked, before in zip(rescored, found, strict=True):
        hits = [hit for hit in ranked if before.is_telling and hit.score >= min_score][:max_hits]
        both.append(Found(tuple(hits), tuple(ranked[len(hits) :]), before.is_telling))
    return both


def _is_open() -> pl.Expr:
    """True where the last turn that asks or answers is a customer's."""
    speakers = pl.col("turns").list.eval(pl.element().struct.field("speaker"))
    heard = speakers.list.eval(pl.element().filter(pl.element().is_in(["customer", *ANSWERERS])))
    return heard.list.last().eq("customer").fill_null(value=False)


def _question(row: dict[str, Any]) -> Question:
    turns = row["turns"]
    return Question(
        conversation_id=row["conversation_id"],
        turn_id=next(turn["turn_id"] for turn in reversed(turns) if turn["speaker"] == "customer"),
        language=row["language"],
        turns=tuple(Turn(turn["turn_id"], turn["speaker"], turn["text"] or "") for turn in turns),
        hits=(),
    )


def _asked_in(question: Question) -> str:
    return "\n".join(turn.text for turn in question.turns if turn.speaker == "customer")[-LONGEST_TEXT:]


def _fate(question: Question, given: Answer | Gap, params: GenerateParams) -> tuple[str, str, str, str | None, str | None]:
    where = (question.conversation_id, question.turn_id)
    if isinstance(given, Answer):
        return *where, "answered", None, None
    was_answered = any(turn.speaker in ANSWERERS for turn in question.turns)
    fate = "left_open" if was_answered and params.keep_answered_part else "dropped"
    return *where, fate, given.reason, given.detail


def _turn(question: Question, given: Answer) -> dict[str, Any]:
    taken = {turn.turn_id for turn in question.turns}
    number = next(number for number in count(len(taken)) if f"a{number}" not in taken)
    return {
        "turn_id": f"a{number}",
        "speaker": "agent",
        "text": given.text,
        "sent_at": None,
        "author_key": None,
        "origin": "human" if given.is_human else "synthetic",
        "generation": None
        if given.is_human
        else {
            "provider": given.provider,
            "model": given.model,
            "prompt_version": given.prompt_version,
            "grounding": [{"id": hit.id, "score": hit.score} for hit in given.grounding],
        },
        "call": None,
    }


def _append(conversations: pl.DataFrame, new: dict[str, dict[str, Any]]) -> pl.DataFrame:
    ids = pl.Series("conversation_id", list(new), pl.String)
    answers = pl.DataFrame(list(new.values()), schema=TURN.to_schema(), orient="row").select(ids, longer=pl.struct(pl.all()))
    # turn by turn: to concatenate lists of structs takes polars 60 times as long
    given = conversations.filter(pl.col("conversation_id").is_in(ids.implode()))
    said = given.select("conversation_id", longer="turns").explode("longer")
    longer = pl.concat([said, answers]).group_by("conversation_id", maintain_order=True).agg("longer")
    joined = conversations.join(longer, on="conversation_id", how="left", maintain_order="left")
    both = joined.with_columns(turns=pl.coalesce("longer", "turns"))
    return conform(both.drop("longer"), GENERATED, "generate")
