"""Write the training files: one folder per format, a file per split, and the provenance of every line beside it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Literal

import orjson
import polars as pl
from pydantic import Field, field_validator

from pipeline.answering.knowledge import Knowledge, KnowledgeParams, load_knowledge
from pipeline.formats import FORMATS
from pipeline.params import Section
from pipeline.parts import Maker, Means, Task, make_parts
from pipeline.rules import residual_identifier, residual_secret
from pipeline.schema import CALL, CHAT, DROPPED, LINES, VALIDATED, conform, empty
from pipeline.stage import Outcome
from pipeline.tables import Manifest, Part, Table, TableWriter, new_table, translated_errors, write_json
from pipeline.tokens import TOKENS_PER_MESSAGE, counter
from pipeline.writing.card import CardParams, Facts, write_beside
from pipeline.writing.chat import Example, Row, messages_of, tools_of, without_calls
from pipeline.writing.conformance import WARNINGS
from pipeline.writing.conversations import Conversation, conversations_of
from pipeline.writing.fitting import Room
from pipeline.writing.lengths import fault_of_length
from pipeline.writing.shards import Shards
from pipeline.writing.splits import BRIDGES_SPLITS, SPLITS, SplitParams, assign_splits, explain_sizes


class EmitParams(Section):
    """Which files to write, how the examples are shared out, and what stands before every conversation."""

    formats: list[str]
    """Names on the shelf; a folder each."""

    system: str | None
    """What the assistant is told before every conversation; null for nothing."""

    system_by_product: dict[str, str]
    """Product -> its own system text, in place of `system`."""

    train_bots: bool
    """Whether answers of bots are learnt too; otherwise they have weight 0, and formats without weights leave them out."""

    knowledge: KnowledgeParams
    """Passages of the team's knowledge that stand below the system text of a conversation whose first question they answer."""

    look_ups: Literal["fold", "drop"]
    """What becomes of look-ups in formats without tool calls: their words join what the customer said, or nothing does."""

    liked_csat: float = Field(ge=0, le=1)
    """Smallest satisfaction at which a customer counts as content, for formats that train on ratings."""

    max_file_bytes: int = Field(ge=100_000)
    """A larger file is written in shards; a consumer's own limit holds where it is smaller. Less: a file per conversation."""

    max_tokens: dict[str, int]
    """Format -> tokens that its trainer will be told to read of a row; for the others, where it cuts unless told otherwise."""

    spare_tokens_share: float = Field(ge=0, lt=1)
    """Share of that length left free in a row that has to be shortened: a trainer's own vocabulary may need more tokens."""

    encoding: str
    """Vocabulary that tokens are counted in; that of validate."""

    splits: SplitParams
    """Shares of train, validation and test."""

    card: CardParams
    """What the dataset card says that nobody can count."""

    @field_validator("formats")
    @classmethod
    def _known(cls, formats: list[str]) -> list[str]:
        for name in formats:
            if name not in FORMATS:
                raise ValueError(f"no format {name!r}; there are {', '.join(FORMATS)}")
        if not formats or len(set(formats)) < len(formats):
            raise ValueError("name at least one format, and none twice")
        return formats

    @field_validator("max_tokens")
    @classmethod
    def _of_known_formats(cls, max_tokens: dict[str, int]) -> dict[str, int]:
        for name, tokens in max_tokens.items():
            if name not in FORMATS or tokens < 1:
                raise ValueError(f"max_tokens: {name!r} is no format, or its tokens are less than 1")
        return max_tokens

    def length_of(self, name: str) -> int | None:
        """Tokens that the trainer of a format reads of a row; None where it has no limit."""
        return self.max_tokens.get(name, FORMATS[name].default_max_tokens)


def emit(
    conversations: pl.DataFrame,
    splits: pl.Series,
    params: EmitParams,
    rejected: Mapping[str, Sequence[str]] | None = None,
    knowledge: Knowledge | None = None,
) -> Outcome:
    """Write every conversation as rows of each format.

    Args:
        conversations: `validated`, one row per conversation.
        splits: train, validation, test or null, in the same order.
        params: formats and system texts.
        rejected: conversation_id -> answers that were not accepted before its last turn was.
        knowledge: what passages are found in; null attaches none.
    Returns:
        kept: CHAT, what at least one format holds. dropped: `bridges_splits` where there is no split, else the first
            fault that keeps it out of every format, with the format as detail. beside: a frame LINES per format.
        counts: `<format>_<split>_rows`; `<format>_rows_shortened`, and `<format>_rows_left_out_<fault>` of conversations
            that have others; in conversations `<format>_lost_<fault>`, and `<format>_unrated` or `_unpaired`.
    """
    conversations = conform(conversations, VALIDATED, "emit")
    press = _Press(params, rejected or {}, knowledge)
    for conversation, split in zip(conversations_of(conversations), splits.to_list(), strict=True):
        press.take(conversation, split)
    return press.outcome()


class _Press:
    """Collects the rows of one part."""

    def __init__(self, params: EmitParams, rejected: Mapping[str, Sequence[str]], knowledge: Knowledge | None) -> None:
        self._params, self._rejected, self._knowledge = params, rejected, knowledge
        self._kept: list[tuple[Any, ...]] = []
        self._dropped: list[tuple[str, str, str]] = []
        self._lines = {name: _Lines() for name in params.formats}
        self._counts: dict[str, int] = {}
        self._system_tokens: dict[str | None, int] = {None: 0}

    def take(self, one: Conversation, split: str | None) -> None:
        if split is None:
            self._dropped.append((one.conversation_id, BRIDGES_SPLITS, "customer and cluster stand in different splits"))
            return
        one, example = self._example(one)
        plain = example if one.speakers.count("tool") == 0 else without_calls(example)
        most = one.tokens + self._tokens_of(example.system)
        formats: list[str] = []
        lost: list[tuple[str, str]] = []
        metas: dict[str | None, str] = {}
        for name in self._params.formats:
            rows, fault = self._rows(name, example if FORMATS[name].tools else plain, most)
            if fault:
                lost.append((fault, name))
                self._count(f"{name}_{WITHOUT.get(fault) or f'lost_{fault}'}")
                continue
            formats.append(name)
            self._count(f"{name}_{split}_rows", len(rows))
            for row in rows:
                if row.left_out:
                    meta = _meta(one, split, row)
                    self._count(f"{name}_rows_shortened")
                elif row.reply in metas:
                    meta = metas[row.reply]
                else:
                    meta = metas[row.reply] = _meta(one, split, row)
                self._lines[name].add(one.conversation_id, split, _json(row.content), meta)
        if formats:
            self._kept.append((*one[:4], split, one.synthetic, most, ",".join(formats)))
        else:
            self._dropped.append((one.conversation_id, *lost[0]))

    def _example(self, one: Conversation) -> tuple[Conversation, Example]:
        turns = one.turns
        if self._params.train_bots and "bot" in one.speakers:
            turns = [turn._replace(trained=True) for turn in turns]
        system = self._params.system_by_product.get(one.product or "", self._params.system)
        if self._knowledge and turns[0].role == "user":
            (found,) = self._knowledge.find([turns[0].content])
            passages = [f"{hit.question}\n{hit.answer}".strip() for hit in found.hits]
            system = "\n\n".join([*([system] if system else []), *passages]) or None
            one = one._replace(knowledge=[hit.id for hit in found.hits])
        liked = None if one.csat is None else one.csat >= self._params.liked_csat
        return one, Example(turns, system, self._params.look_ups, liked, self._rejected.get(one.conversation_id, ()))

    def _rows(self, name: str, example: Example, most: int) -> tuple[list[Row], str | None]:
        """The rows of an example, or why the format cannot hold it; a format is judged by the rules for anyone's file.

        `most` is the tokens of the example with its look-ups in plain words; as calls they may take twice as many.
        """
        format_, length = FORMATS[name], self._params.length_of(name)
        room = None if length is None else int(length * (1 - self._params.spare_tokens_share))
        is_long = room is not None and most * (2 if any(turn.look_ups for turn in example.turns) else 1) > room
        if room is not None and is_long:
            example = replace(example, room=self._room(example, room))
        rows = list(format_.rows(example))
        if not rows:
            is_without = example.liked is None if format_.needs == "rating" else format_.needs is not None
            return [], format_.needs if format_.needs and is_without else ANSWER_NOT_TO_BE_LEARNT
        for row in rows:
            for fault in format_.faults(row.content):
                return [], fault.name
        if length is None or not is_long:
            return rows, None
        judged = [(row, fault_of_length(format_, row.content, length, self._params.encoding)) for row in rows]
        sound = [row for row, cut in judged if cut is None or cut in WARNINGS]
        untrained = [cut for _, cut in judged if cut is not None and cut not in WARNINGS]
        if not sound:
            return [], untrained[0]
        for cut in untrained:
            self._count(f"{name}_rows_left_out_{cut}")
        return sound, None

    def _room(self, example: Example, tokens: int) -> Room | None:
        """What the turns of an example may take and would take; None where all of it fits."""
        count = counter(self._params.encoding)
        sizes = [
            sum(
                count(_written(message)) + TOKENS_PER_MESSAGE
                for message in messages_of(replace(example, turns=[turn], system=None))
            )
            for turn in example.turns
        ]
        left = tokens - self._tokens_of(example.system) - sum(count(_json(tool)) for tool in tools_of(example))
        if sum(sizes) <= left:
            return None
        before = [None, *(turn.role for turn in example.turns)]
        opens = [place for place, turn in enumerate(example.turns) if turn.role == "user" and before[place] != "user"]
        return Room(left, sizes, opens or [0])

    def _tokens_of(self, system: str | None) -> int:
        if system not in self._system_tokens:
            self._system_tokens[system] = counter(self._params.encoding)(system or "") + TOKENS_PER_MESSAGE
        return self._system_tokens[system]

    def _count(self, name: str, more: int = 1) -> None:
        if more:
            self._counts[name] = self._counts.get(name, 0) + more

    def outcome(self) -> Outcome:
        return Outcome(
            kept=self._chats(),
            dropped=pl.DataFrame(self._dropped, schema=dict(DROPPED), orient="row") if self._dropped else empty(DROPPED),
            beside={f"lines_{name}": lines.frame() for name, lines in self._lines.items()},
            counts=self._counts,
        )

    def _chats(self) -> pl.DataFrame:
        # column by column, and lists as text that is split: row by row polars makes a Series of every list
        columns = dict(zip(CHAT, zip(*self._kept, strict=True), strict=True)) if self._kept else dict.fromkeys(CHAT, ())
        plain = pl.DataFrame(columns, schema={**CHAT, "formats": pl.String})
        return plain.with_columns(pl.col("formats").str.split(","))


class _Lines:
    """The lines of one format; moved into Arrow now and then, where a text takes a tenth of a Python object's room."""

    def __init__(self) -> None:
        self._columns: list[list[str]] = [[], [], [], []]
        self._frames: list[pl.DataFrame] = []

    def add(self, *line: str) -> None:
        for column, value in zip(self._columns, line, strict=True):
            column.append(value)
        if len(self._columns[0]) == LINES_AT_ONCE:
            self._move()

    def _move(self) -> None:
        self._frames.append(pl.DataFrame(dict(zip(LINES, self._columns, strict=True)), schema=dict(LINES)))
        self._columns = [[], [], [], []]

    def frame(self) -> pl.DataFrame:
        self._move()
        return pl.concat(self._frames)


LINES_AT_ONCE: Final = 5_000

WITHOUT: Final = {"rating": "unrated", "rejected_answer": "unpaired"}
"""What a format needs that a conversation has not -> how those are counted; no loss."""

ANSWER_NOT_TO_BE_LEARNT: Final = "answer_not_to_be_learnt"
"""Why a format without weights has no row: it would train what it should not."""


def _json(content: Mapping[str, Any]) -> str:
    return orjson.dumps(content).decode()


def _written(message: Mapping[str, Any]) -> str:
    return message["content"] if "content" in message else _json(message)


def _meta(one: Conversation, split: str, row: Row) -> str:
    """Where a line comes from; never in the line itself, which several consumers would refuse."""
    return _json(
        {
            "conversation_id": one.conversation_id,
            "split": split,
            "cluster_id": one.cluster_id,
            "trains": row.reply,
            "left_out": row.left_out,
            "synthetic": one.synthetic,
            "edits": one.edits,
            "flags": one.flags,
            "turns": one.turn_ids,
            "speakers": one.speakers,
            "origins": one.origins,
            "generation": one.generations,
            "knowledge": one.knowledge,
        }
    )


def prepare(table: Table, params: EmitParams) -> Maker:
    """The maker of one part, from the part and the splits of its conversations."""
    generated = _generated(table, params)
    knowledge = load_knowledge(params.knowledge) if params.knowledge.folder else None

    def make(payload: tuple[Part, list[str | None]]) -> Outcome:
        part, splits = payload
        given = table.read(part)
        rejected = _rejected(generated, given) if generated else {}
        outcome = emit(given, pl.Series(splits, dtype=pl.String), params, rejected, knowledge)
        outcome.account_for(given["conversation_id"], f"emit, {part.name}")
        return outcome

    return make


def _generated(table: Table, params: EmitParams) -> Table | None:
    """The table whose rejected answers are wanted, if a format wants any."""
    if not any(FORMATS[name].needs == "rejected_answer" for name in params.formats):
        return None
    generated = [each for each in table.line() if each.manifest.stage == "generate" and each.manifest.parts]
    return generated[0] if generated else None


def _rejected(generated: Table, given: pl.DataFrame) -> dict[str, list[str]]:
    """Answers that were rejected where another was accepted, but for those with a personal detail or a secret in them.

    An accepted answer is the last turn of its conversation, and its id is none that ingest gives.
    """
    last = pl.col("turns").list.last().struct.field("turn_id")
    answered = given.filter(last.str.starts_with("a")).select("conversation_id")
    turns = (
        generated.scan("rejected")
        .join(answered.lazy(), on="conversation_id", how="semi")
        .select("conversation_id", "text", call=pl.lit(None, CALL))
        .unique(["conversation_id", "text"], maintain_order=True)
        .filter(pl.col("text").str.strip_chars() != "")
        .collect()
    )
    found: dict[str, list[str]] = {}
    for name, text, _ in turns.filter(~residual_identifier.found() & ~residual_secret.found()).iter_rows():
        found.setdefault(name, []).append(text)
    return found


def run(source: Path, target: Path, params: EmitParams, means: Means) -> Manifest:
    """Write train, validation and test files for each format, with the provenance of every line beside them.

    ticketmill emit data/curated/validated data/curated/chat
    """
    table = Table(source)
    generated = _generated(table, params)
    beside = {"rejected": _digest([part.files["rejected"] for part in generated.manifest.parts])} if generated else {}
    if params.knowledge.folder:
        beside["knowledge"] = load_knowledge(params.knowledge).checksum
    tasks = [
        Task({part.name: part.files["kept"], f"{part.name} splits": _digest(splits), **beside}, (part, splits))
        for part, splits in _split(table, params.splits, means)
    ]
    with new_table(target, "emit", params.fingerprint(), given=table) as writer:
        parts = make_parts(writer, tasks, prepare, (table, params), means.workers, means.progress)
        return writer.publish(parts, write_files(writer, parts, params, table.checksum))


def _split(table: Table, params: SplitParams, means: Means) -> Iterator[tuple[Part, list[str | None]]]:
    columns = ["conversation_id", "cluster_id", "customer_key", "opened_at", "topics", "synthetic"]
    parts = [(part, table.read(part, columns=columns).rename({"synthetic": "only_train"})) for part in table.manifest.parts]
    if not parts:
        return
    splits = assign_splits(pl.concat([rows for _, rows in parts]), params, means.key)
    for part, rows in parts:
        joined = rows.select("conversation_id").join(splits, on="conversation_id", how="left", maintain_order="left")
        yield part, joined["split"].to_list()


def _digest(splits: Sequence[str | None]) -> str:
    return sha256(orjson.dumps(splits)).hexdigest()


def write_files(writer: TableWriter, parts: Sequence[Part], params: EmitParams, given: str) -> list[Path]:
    """Join the lines of all parts, in their order, into the files of each format; returns what it wrote.

    Args:
        writer: the table in the making.
        parts: its parts.
        params: which formats.
        given: checksum of the table the files are made from.
    """
    written: list[Path] = []
    with translated_errors(writer.target):
        for name in params.formats:
            format_ = FORMATS[name]
            folder = writer.folder / name
            files, metas = _join(writer, parts, name, min(params.max_file_bytes, format_.max_file_bytes or params.max_file_bytes))
            if not any(files.values()):
                continue
            written += [path for many in (*files.values(), *metas.values()) for path in many]
            names = {split: [path.name for path in paths] for split, paths in files.items() if paths}
            for file, content in (format_.beside(names, params.length_of(name)) if format_.beside else {}).items():
                write_json(folder / file, content)
                written.append(folder / file)
            facts = _facts(writer, parts, name, given, params)
            written += write_beside(folder, name, format_, files, facts, params.card)
    return written


def _join(
    writer: TableWriter, parts: Sequence[Part], name: str, limit: int
) -> tuple[dict[str, list[Path]], dict[str, list[Path]]]:
    """The training files and their side files, by split."""
    shelf = {split: Shards(writer.folder / name, split, limit, FORMATS[name]) for split in SPLITS}
    for part in parts:
        lines = pl.read_parquet(writer.folder / f"lines_{name}" / f"{part.name}.parquet", glob=False)
        for split in SPLITS:
            rows = lines.filter(pl.col("split") == split)
            shelf[split].add(rows["row"].to_list(), rows["meta"].to_list())
    finished = {split: shards.close() for split, shards in shelf.items()}
    return {split: paths[::2] for split, paths in finished.items()}, {split: paths[1::2] for split, paths in finished.items()}


def _facts(writer: TableWriter, parts: Sequence[Part], name: str, given: str, params: EmitParams) -> Facts:
    """What the card says of the conversations that a format holds."""
    kept = pl.scan_parquet([writer.folder / "kept" / f"{part.name}.parquet" for part in parts], glob=False).filter(
        pl.col("formats").list.contains(name)
    )
    totals = kept.select(
        clusters=pl.col("cluster_id").n_unique(),
        synthetic=pl.col("synthetic").sum(),
        tokens=pl.col("tokens").sum(),
        languages=pl.col("language").drop_nulls().unique().sort().implode(),
        first=pl.col("opened_at").min(),
        last=pl.col("opened_at").max(),
    ).collect()
    conversations = dict(kept.group_by("split").len().collect().rows())
    sizes = {split: conversations.get(split, 0) for split in SPLITS}
    return Facts(
        rows={split: sum(part.counts.get(f"{name}_{split}_rows", 0) for part in parts) for split in SPLITS},
        conversations=sizes,
        sizes=explain_sizes(sizes, int(totals["synthetic"].item() or 0), params.splits),
        given=given,
        fingerprint=params.fingerprint(),
        max_tokens=params.length_of(name),
        shortened=sum(part.counts.get(f"{name}_rows_shortened", 0) for part in parts),
        **totals.row(0, named=True),
    )
