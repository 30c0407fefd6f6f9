"""What the measures look at: the tables of the line, read once, part by part, into flat frames in memory.

Of more than `samples.max_conversations` exported conversations a sample is looked at, drawn by hash of the id.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import Final

import polars as pl

from checks.readiness.settings import ReadinessParams
from pipeline.errors import TableError
from pipeline.schema import TIME, VALIDATED, empty
from pipeline.tables import Part, Table

UNTAGGED: Final = "(untagged)"
OTHER: Final = "(other topics)"

EXPORT_COLUMNS: Final = (
    "conversation_id",
    "source",
    "opened_at",
    "channel",
    "language",
    "product",
    "topics",
    "customer_key",
    "outcome",
    "cluster_id",
    "tokens",
)

RAW_COLUMNS: Final = ("conversation_id", "source", "opened_at", "channel", "language", "product", "topics")


ASKED: Final[Mapping[str, pl.DataType | type[pl.DataType]]] = {
    "conversation_id": pl.String,
    "opened_at": TIME,
    "question": pl.String,
    "answer": pl.String,
    "question_values": pl.String,
    "answer_values": pl.String,
}
"""`_values`: the text before numbers were masked, but with surrogates by their kind; of it specifics are read."""


@dataclass(frozen=True)
class Corpus:
    """The exported conversations, and an index of the raw ones."""

    conversations: pl.DataFrame
    """One row per exported conversation, sorted by id: EXPORT_COLUMNS, `topic`, `split` (null where none), `agent_key` of
    the first agent, `synthetic` (a model wrote a turn)."""

    turns: pl.DataFrame
    """One row per exported turn, in order: conversation_id, position, speaker (customer, agent, tool), text, masked, origin,
    sent_at, provider, model. `masked`: surrogates and volatile values replaced by their kind."""

    raw: pl.DataFrame | None
    """One row per scrubbed conversation (scrub drops none): RAW_COLUMNS, `topic`, `agent_key`, `exchanges`, `trailing`;
    None without that table. No text."""

    fates: pl.DataFrame | None
    """conversation_id, stage (that dropped it), reason; of raw conversations that were not exported."""

    line: Mapping[str, Table]
    """Stage -> table, in the order of the line."""

    surrogates: Mapping[str, frozenset[str]]
    """Conversation -> what scrub put in place of personal details, lower-case."""

    exported: int
    """All exported conversations, of which `conversations` may be a sample."""

    max_rows: int
    """Conversations of the scrubbed table whose first exchange is looked at."""

    seed: int
    approximate_topics: bool
    """Topics were found by clustering: they may not carry a block on their own."""

    @property
    def is_sample(self) -> bool:
        """Whether more was exported than was looked at."""
        return self.exported > self.conversations.height

    @cached_property
    def examples(self) -> pl.DataFrame:
        """One row per conversation: conversation_id, topic, split, opened_at, customer_key, question, answer, first_question.

        `question` and `answer` are all masked turns of the customer and of the agent, `first_question` and `first_answer` the
        runs of turns up to the first answer and the first answer itself.
        """
        spoken = self.turns.filter(pl.col("speaker") != "tool").with_columns(
            asked=(pl.col("speaker") == "customer"),
            run=(pl.col("speaker") != pl.col("speaker").shift()).fill_null(value=True).cum_sum().over("conversation_id"),
        )
        text = pl.col("masked").str.join("\n")
        joined = spoken.group_by("conversation_id", maintain_order=True).agg(
            question=pl.col("masked").filter("asked").str.join("\n"),
            answer=pl.col("masked").filter(~pl.col("asked")).str.join("\n"),
        )
        runs = spoken.group_by("conversation_id", "run", "asked", maintain_order=True).agg(text=text)
        firsts = runs.group_by("conversation_id", maintain_order=True).agg(
            first_question=pl.col("text").filter("asked").first(), first_answer=pl.col("text").filter(~pl.col("asked")).first()
        )
        return (
            self.conversations.select("conversation_id", "topic", "split", "opened_at", "customer_key", "source")
            .join(joined, on="conversation_id", how="left", maintain_order="left")
            .join(firsts, on="conversation_id", how="left", maintain_order="left")
            .with_columns(pl.col("question", "answer", "first_question", "first_answer").fill_null(""))
        )

    @cached_property
    def asked(self) -> pl.DataFrame:
        """What customers asked first, and what they were answered first, before anything was dropped as a duplicate.

        One row per scrubbed conversation with a customer's turn, sorted by id: conversation_id, topic (null where topics are
        clusters), opened_at, agent_key, question, answer (empty where there was none), both masked; `exported`. Without a
        scrubbed table, of the exported ones. Of more than `max_rows` a sample by hash of the id.
        """
        exported = self.conversations.select("conversation_id", exported=pl.lit(value=True))
        scrubbed = self.line.get("scrub")
        if scrubbed is None:
            rows = self.examples.select(
                "conversation_id",
                "opened_at",
                question="first_question",
                answer="first_answer",
                question_values="first_question",
                answer_values="first_answer",
                topic="topic",
            )
            agents = self.conversations.select("conversation_id", "agent_key")
            asked = rows.filter(pl.col("question") != "").join(agents, on="conversation_id", how="left")
            return asked.with_columns(exported=pl.lit(value=True)).sort("conversation_id")
        frames = [self._first_exchange(scrubbed, part) for part in scrubbed.manifest.parts]
        rows = pl.concat(frames) if frames else empty(ASKED)
        topics = (self.conversations if self.raw is None else self.raw).select("conversation_id", "topic", "agent_key")
        if self.approximate_topics:
            topics = topics.with_columns(topic=pl.lit(None, pl.String))
        return (
            rows.join(topics, on="conversation_id", how="left")
            .join(exported, on="conversation_id", how="left")
            .with_columns(pl.col("exported").fill_null(value=False), pl.col("answer").fill_null(""))
            .sort("conversation_id")
        )

    def _first_exchange(self, scrubbed: Table, part: Part) -> pl.DataFrame:
        """Of one part: the run of turns up to the first answer, and that answer."""
        rows = scrubbed.read(part, columns=["conversation_id", "opened_at", "turns"]).filter(pl.col("turns").list.len() > 0)
        if self.raw is not None and self.raw.height > self.max_rows:
            number = draw(rows["conversation_id"], self.seed)
            rows = rows.filter(number < int(2**64 * self.max_rows / self.raw.height))
        flat = (
            rows.explode("turns")
            .with_columns(
                speaker=pl.col("turns").struct.field("speaker").replace("bot", "agent"),
                text=pl.col("turns").struct.field("text").fill_null(""),
            )
            .filter(pl.col("speaker") != "tool")
            .with_columns(answers=(pl.col("speaker") == "agent").cum_sum().over("conversation_id"))
            .with_columns(asks=(pl.col("speaker") == "customer").cum_sum().over("conversation_id"))
        )
        # the answers before the first question greet; the first run of customer turns ends with the next answer
        said = flat.filter(pl.col("asks") > 0).with_columns(
            later=(pl.col("speaker") == "agent").cum_sum().over("conversation_id")
        )
        firsts = (
            said.filter(pl.col("later") <= 1)
            .group_by("conversation_id", maintain_order=True)
            .agg(
                opened_at=pl.col("opened_at").first(),
                question=pl.col("text").filter(pl.col("speaker") == "customer").str.join("\n"),
                answer=pl.col("text").filter(pl.col("speaker") == "agent").first(),
            )
        )
        values = self.scrub_values(part)
        for column in ("question", "answer"):
            replaced = [
                _replace(text, values[one]) if text and one in values else text
                for one, text in firsts.select("conversation_id", column).iter_rows()
            ]
            firsts = firsts.with_columns(
                pl.Series(f"{column}_values", replaced, dtype=pl.String),
                mask(pl.Series(column, replaced, dtype=pl.String)),
            )
        return firsts.select(list(ASKED))

    def scrub_values(self, part: Part) -> dict[str, dict[str, str]]:
        """Per conversation of a scrubbed part: what scrub wrote -> <KIND>."""
        return surrogates_of(self.line["scrub"], part)

    @cached_property
    def topics(self) -> list[str]:
        """Topics of the exported and of the raw conversations, largest traffic first."""
        return self.traffic["topic"].to_list()

    @cached_property
    def traffic(self) -> pl.DataFrame:
        """topic, conversations, share: of the raw conversations where topics are tags, else of the exported ones."""
        seen = self.conversations if self.raw is None or self.approximate_topics else self.raw
        return (
            seen.group_by("topic")
            .agg(conversations=pl.len())
            .with_columns(share=pl.col("conversations") / max(seen.height, 1))
            .sort(["conversations", "topic"], descending=[True, False])
        )


def draw(ids: pl.Series, seed: int) -> pl.Series:
    """A number per id, the same on every machine: the smallest are the sample."""
    return pl.Series(
        [int.from_bytes(blake2b(f"{seed}\0{one}".encode(), digest_size=8).digest()) for one in ids.to_list()], dtype=pl.UInt64
    )


def read_corpus(last: Table, params: ReadinessParams) -> Corpus:
    """Read the line that ends in `last`, a table of validate or emit.

    Raises:
        TableError: the line has no validated table, or a table of it is missing.
    """
    line = {table.manifest.stage: table for table in last.line()}
    if "validate" not in line:
        raise TableError(f"{last.folder}: readiness reads a table of validate or emit; run the line that far")
    chosen, exported = _choose(line, params)
    surrogates, values = read_surrogates(line, set(chosen["conversation_id"].to_list()))
    frames, turns = [], []
    validated = line["validate"]
    for part in validated.manifest.parts:
        rows = validated.read(part).filter(pl.col("conversation_id").is_in(chosen["conversation_id"].implode()))
        if rows.height:
            frames.append(_conversations_of(rows))
            turns.append(_turns_of(rows, values))
    conversations = pl.concat(frames) if frames else _conversations_of(empty(VALIDATED))
    conversations = conversations.join(chosen, on="conversation_id", how="left").sort("conversation_id")
    flat = pl.concat(turns) if turns else _turns_of(empty(VALIDATED), {})
    flat = flat.sort("conversation_id", "position")
    raw, fates = _read_raw(line), _read_fates(line)
    conversations, raw, approximate = _name_topics(conversations, flat, raw, params)
    return Corpus(
        conversations,
        flat,
        raw,
        fates,
        line,
        surrogates,
        exported,
        params.samples.max_conversations,
        params.seed,
        approximate,
    )


def _choose(line: Mapping[str, Table], params: ReadinessParams) -> tuple[pl.DataFrame, int]:
    """conversation_id and split of the exported conversations that are looked at; how many there are in all."""
    if chat := line.get("emit"):
        frames = [chat.read(part, columns=["conversation_id", "split"]) for part in chat.manifest.parts]
    else:
        frames = [
            line["validate"].read(part, columns=["conversation_id"]).with_columns(split=pl.lit(None, pl.String))
            for part in line["validate"].manifest.parts
        ]
    rows = pl.concat(frames) if frames else pl.DataFrame(schema={"conversation_id": pl.String, "split": pl.String})
    most = params.samples.max_conversations
    if rows.height <= most:
        return rows, rows.height
    drawn = rows.with_columns(draw=draw(rows["conversation_id"], params.seed)).sort("draw").head(most).drop("draw")
    return drawn, rows.height


def _conversations_of(rows: pl.DataFrame) -> pl.DataFrame:
    spoken_by = pl.col("turns").list.eval(
        pl.element().struct.field("author_key").filter(pl.element().struct.field("speaker") == "agent")
    )
    synthetic = pl.col("turns").list.eval(pl.element().struct.field("origin") != "human").list.any()
    return rows.select(*EXPORT_COLUMNS, agent_key=spoken_by.list.first(), synthetic=synthetic.fill_null(value=False))


def _turns_of(rows: pl.DataFrame, values: Mapping[str, Mapping[str, str]]) -> pl.DataFrame:
    flat = (
        rows.select("conversation_id", "turns")
        .filter(pl.col("turns").list.len() > 0)
        .explode("turns")
        .unnest("turns")
        .select(
            "conversation_id",
            position=pl.int_range(pl.len(), dtype=pl.Int32).over("conversation_id"),
            speaker=pl.when(pl.col("speaker") == "bot").then(pl.lit("agent")).otherwise("speaker"),
            text=pl.col("text").fill_null(""),
            origin="origin",
            sent_at="sent_at",
            provider=pl.col("generation").struct.field("provider"),
            model=pl.col("generation").struct.field("model"),
        )
    )
    replaced = [
        _replace(text, values[one]) if one in values else text for one, text in flat.select("conversation_id", "text").iter_rows()
    ]
    return flat.with_columns(masked=mask(pl.Series("masked", replaced, dtype=pl.String)))


def _replace(text: str, values: Mapping[str, str]) -> str:
    for value, kind in values.items():
        text = text.replace(value, kind)
    return text


KINDS: Final = (
    (r"\b[\w.+%-]+@[\w-]+(?:\.[\w-]+)+\b", "<EMAIL>"),
    (r"\bhttps?://\S+|\bwww\.\S+", "<URL>"),
    (r"\$\{[^}]{1,80}\}|\{\{[^}]{1,80}\}\}", "<SLOT>"),
    (r"\b[A-Za-z]*\d[\w:,./-]*", "<NUMBER>"),
)
"""What differs between two uses of one template besides the surrogates; the last one also takes dates, times and ids."""


def mask(texts: pl.Series) -> pl.Series:
    """Put the kind of a volatile value in its place.

    >>> mask(pl.Series(["Order AB-12 left at 9:30, see https://example.com/x"])).to_list()
    ['Order AB-<NUMBER> left at <NUMBER> see <URL>']
    """
    for pattern, kind in KINDS:
        texts = texts.str.replace_all(pattern, kind)
    return texts


def read_surrogates(line: Mapping[str, Table], chosen: set[str]) -> tuple[dict[str, frozenset[str]], dict[str, dict[str, str]]]:
    """Per conversation: what scrub wrote, lower-case; and the same as text -> <KIND>, longest first."""
    scrubbed = line.get("scrub")
    values: dict[str, dict[str, str]] = {}
    if scrubbed is None:
        return {}, values
    for part in scrubbed.manifest.parts:
        values |= {one: known for one, known in surrogates_of(scrubbed, part).items() if one in chosen}
    return {one: frozenset(value.lower() for value in known) for one, known in values.items()}, values


def surrogates_of(scrubbed: Table, part: Part) -> dict[str, dict[str, str]]:
    """Per conversation of one part: what scrub wrote -> <KIND>, longest first."""
    values: dict[str, dict[str, str]] = {}
    if not part.rows.get("findings"):
        return values
    findings = scrubbed.read(part, "findings", ["conversation_id", "turn_id", "entity_type", "new_start", "new_end"])
    turns = (
        scrubbed.read(part, columns=["conversation_id", "turns"])
        .explode("turns")
        .select("conversation_id", pl.col("turns").struct.field("turn_id"), pl.col("turns").struct.field("text"))
    )
    written = (
        findings.join(turns, on=["conversation_id", "turn_id"], how="inner")
        .with_columns(value=pl.col("text").str.slice(pl.col("new_start"), pl.col("new_end") - pl.col("new_start")))
        .filter(pl.col("value").str.len_chars() > 1)
        .select("conversation_id", "value", "entity_type")
        .unique()
        .sort("conversation_id", pl.col("value").str.len_chars(), "value", descending=[False, True, False])
    )
    for conversation, value, kind in written.iter_rows():
        values.setdefault(conversation, {}).setdefault(value, f"<{kind}>")
    return values


def _read_raw(line: Mapping[str, Table]) -> pl.DataFrame | None:
    """The raw conversations as scrub wrote them: what the ingested table says in its columns may name somebody.

    Without a scrubbed table, the ingested one, of which nothing but source, time and shape is taken.
    """
    table = line.get("scrub") or line.get("ingest")
    if table is None or not table.manifest.parts:
        return None
    speakers = pl.col("turns").list.eval(pl.element().struct.field("speaker").replace("bot", "agent"))
    asked = speakers.list.eval((pl.element() == "agent") & (pl.element().shift() == "customer"))
    keys = pl.col("turns").list.eval(
        pl.element().struct.field("author_key").filter(pl.element().struct.field("speaker") == "agent")
    )
    frames = [
        table.read(part, columns=[*RAW_COLUMNS, "turns"]).select(
            *RAW_COLUMNS,
            agent_key=keys.list.first(),
            exchanges=asked.list.sum(),
            trailing=speakers.list.last() == "customer",
        )
        for part in table.manifest.parts
    ]
    raw = pl.concat(frames).sort("conversation_id")
    if "scrub" in line:
        return raw
    named = [name for name in ("channel", "language", "product") if name in raw.columns]
    return raw.with_columns(pl.lit(None, pl.String).alias(name) for name in named).with_columns(
        topics=pl.lit([], pl.List(pl.String))
    )


def _read_fates(line: Mapping[str, Table]) -> pl.DataFrame | None:
    frames = [
        table.read(part, "dropped", ["conversation_id", "reason"]).with_columns(stage=pl.lit(stage))
        for stage, table in line.items()
        for part in table.manifest.parts
        if stage != "ingest" and part.rows.get("dropped")
    ]
    schema = {"conversation_id": pl.String, "reason": pl.String, "stage": pl.String}
    return pl.concat(frames).select(*schema) if frames else pl.DataFrame(schema=schema)


def _name_topics(
    conversations: pl.DataFrame, turns: pl.DataFrame, raw: pl.DataFrame | None, params: ReadinessParams
) -> tuple[pl.DataFrame, pl.DataFrame | None, bool]:
    """Add `topic`: the first tag; without any tag, clusters."""
    first = pl.col("topics").list.first()
    seen = conversations if raw is None else raw
    is_tagged = bool(seen.select((first.is_not_null() & (first != "")).any()).item()) if seen.height else False
    if not is_tagged:
        from checks.readiness.topics import find_topics  # noqa: PLC0415  # scikit-learn, only where there are no tags

        found = conversations.with_columns(topic=find_topics(conversations, turns, params))
        return found, None if raw is None else raw.with_columns(topic=pl.lit(UNTAGGED)), True
    named = pl.when(first.is_null() | (first == "")).then(pl.lit(UNTAGGED)).otherwise(first)
    largest = (seen.select(topic=named).group_by("topic").len().sort(["len", "topic"], descending=[True, False])["topic"]).head(
        params.samples.max_topics
    )
    pooled = pl.when(named.is_in(largest.implode())).then(named).otherwise(pl.lit(OTHER))
    return conversations.with_columns(topic=pooled), None if raw is None else raw.with_columns(topic=pooled), False


WORD: Final = re.compile(r"<\w+>|[^\W_]+(?:['\u2019][^\W_]+)?")


def words_of(text: str) -> list[str]:
    """Lower-case words; the kind of a masked value is a word of its own.

    >>> words_of("It's <NUMBER> days!")
    ["it's", '<number>', 'days']
    """
    return WORD.findall(text.lower())
