"""What the measures look at: the tables of a line as flat frames in memory."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import Final

import polars as pl

from checks.readiness.masking import mask, replace, surrogates_of
from pipeline.schema import TIME, empty
from pipeline.tables import Part, Table

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
    """One row per exported conversation, sorted by id: columns of validate, `topic`, `split` (null where none), `agent_key` of
    the first agent, `synthetic` (a model wrote a turn), `text_digest` (what an auditor of it has judged)."""

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
        values = surrogates_of(scrubbed, part)
        for column in ("question", "answer"):
            replaced = [
                replace(text, values[one]) if text and one in values else text
                for one, text in firsts.select("conversation_id", column).iter_rows()
            ]
            firsts = firsts.with_columns(
                pl.Series(f"{column}_values", replaced, dtype=pl.String),
                mask(pl.Series(column, replaced, dtype=pl.String)),
            )
        return firsts.select(list(ASKED))

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
