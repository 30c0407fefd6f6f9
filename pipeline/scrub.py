"""Replace personal details by keyed stand-ins: patterns, names, what the export says of its people.

Two passes, so that the promises about the whole corpus hold (see `pipeline.replacing.keyed`) with one part in memory at a
time. `find` (`pipeline/finding.py`) looks through each part once and writes where details stand and keyed hashes of them, never
text, into a hidden table beside the target; that is the work, and a part that did not change is not looked through again.
`settle` compares the hashes of all parts. `replace` reads each part again and puts the stand-ins in. native_id and participants
stay behind.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import polars as pl
from pydantic import Field

from pipeline import known_values, spoken
from pipeline.errors import ParamsError, TableError
from pipeline.finding import COLUMNS, Lists, Look, arguments, find
from pipeline.forgotten import draws_of
from pipeline.key import Key
from pipeline.params import Section
from pipeline.parts import Maker, Means, Task, make_parts
from pipeline.replacing.atoms import normal_code
from pipeline.replacing.keyed import Surrogates
from pipeline.replacing.settling import barred_frame, settle, values_frame
from pipeline.schema import FINDINGS, INGESTED, SCRUBBED, conform
from pipeline.spans import Span
from pipeline.stage import Outcome
from pipeline.surrogates.dates import shift_date
from pipeline.tables import Manifest, Part, Table, digest_of_package, new_table, translated_errors, write_json

Mode = Literal["surrogate", "placeholder", "mask", "keep"]

PARAMS: Final = "_params.json"
"""Beside the parts: the params of the run, so that the gate can plant into texts what this very run would have met."""

MASK: Final = "****"

MIN_KNOWN: Final = 3
"""Letters and digits of a known value that no stand-in of its conversation may hold, in part or whole."""

DATES: Final = frozenset({"DATE_TIME", "DATE_OF_BIRTH"})


class ScrubParams(Section):
    """How personal details are found and what takes their place."""

    language: str
    """ISO 639-1 code of the blank spaCy tokenizer that splits context words."""

    countries: list[str]
    """ISO 3166-1 codes, lower case: whose ids are looked for, and whose domestic telephone numbers."""

    recognizers: list[str]
    """Entries of the shelf `pipeline/recognizers`."""

    models: list[str]
    """Entries of the shelf that read free text with a model; slower, and what finds names nobody announced. `spacy:NAME` is a
    pipeline of your own, an installed package or a folder; `transformers:FOLDER` a token classifier exported to ONNX."""

    min_score: float = Field(ge=0, le=1)
    """Finds below it are left alone. Presidio's score, 1 = certain."""

    default_mode: Mode
    """What takes the place of a detail: a keyed stand-in, `<TYPE_1>`, `****`, or nothing (keep)."""

    modes: dict[str, Mode]
    """Other modes by entity type."""

    allow_list: Path | None
    """Text file, one term a line: own brands and products, which are never replaced. null: none."""

    own_names: list[str]
    """Own brands and products, as in the allow-list, for the few that are worth naming here."""

    deny_list: Path | None
    """Text file, one term a line, or `TYPE<tab>term`: always replaced. null: none."""

    max_shift_weeks: int = Field(ge=1, le=5000)
    """Dates of a customer are shifted by up to this many whole weeks, all by the same."""

    day_first: bool
    """How 3/4/2026 is read where the order cannot be told: true = 3 April."""

    @property
    def kept_types(self) -> frozenset[str]:
        """Types of details that are left alone."""
        return frozenset(kind for kind, mode in self.modes.items() if mode == "keep")

    def of_find(self) -> str:
        """The values that decide what is found, as text: how it is replaced is the second pass's business."""
        values = self.model_dump(mode="json", exclude={"default_mode", "modes", "max_shift_weeks", "day_first"})
        return json.dumps(values, sort_keys=True)


def run(source: Path, target: Path, params: ScrubParams, means: Means) -> Manifest:
    """Replace personal details by keyed stand-ins, the same for the same person everywhere.

    ticketmill scrub data/raw/ingested data/curated/scrubbed
    """
    given = Table(source)
    if given.manifest.stage != "ingest":
        raise TableError(
            f"{source}: was made by {given.manifest.stage}; scrub reads the table of ingest, which alone says who is who"
        )
    lists = read_lists(params)
    shared = sha256(repr((params.of_find(), lists.allowed, sorted(lists.denied), _own_models(params))).encode()).hexdigest()
    beside = found_beside(target)
    tasks = [Task({part.name: part.files["kept"]}, part) for part in given.manifest.parts]
    with new_table(beside, "scrub.find", f"{shared[:16]}-{means.key.fingerprint}", given=given) as writer:
        found_parts = make_parts(
            writer, tasks, _prepare_find, (given, params, lists, means.key), means.workers, _half(means, first=True)
        )
        writer.publish(found_parts)
    found = Table(beside)
    moved = settled(found, Surrogates(means.key), draws_of(given))
    tasks = [
        Task({"draws": _digest(own), part.name: part.files["kept"]}, (part, found_part, own))  # labels in alphabetical order
        for part, found_part in zip(given.manifest.parts, found.manifest.parts, strict=True)
        for own in (_moved_in(found, found_part, moved),)
    ]
    fingerprint = params.fingerprint(means.key.fingerprint, shared)
    with new_table(target, "scrub", fingerprint, given=given) as writer:
        parts = make_parts(
            writer, tasks, _prepare_replace, (given, found, params, means.key), means.workers, _half(means, first=False)
        )
        used = writer.folder / PARAMS
        with translated_errors(target):
            write_json(used, params.model_dump(mode="json"))
        return writer.publish(parts, [used])


def _own_models(params: ScrubParams) -> list[str]:
    """Over the files of the models that are the user's own: a part that a better one would change is not reused."""
    own = [each.partition(":") for each in params.models if ":" in each]
    if not own:
        return []
    from pipeline.recognizers import MODEL_FOLDERS  # noqa: PLC0415  # Presidio, for who names such a model

    return [digest_of_package(MODEL_FOLDERS[kind](name)) for kind, _, name in own if kind in MODEL_FOLDERS]


def _half(means: Means, *, first: bool) -> Callable[[int, int], None]:
    return lambda done, all_: means.progress(done if first else all_ + done, 2 * all_)


def read_lists(params: ScrubParams) -> Lists:
    """The allow-list and the deny-list.

    Raises:
        ParamsError: a file is missing or no UTF-8 text.
    """
    allowed = tuple(
        sorted({known_values.lower(term) for term in [*params.own_names, *_terms(params.allow_list, "scrub.allow_list")]})
    )
    pairs = []
    for line in _terms(params.deny_list, "scrub.deny_list"):
        kind, tab, term = line.partition("\t")
        pairs.append((kind.strip(), term.strip()) if tab else ("CUSTOM", line))
    return Lists(allowed, known_values.needles(pairs, recognizer="DenyListRecognizer"))


def _terms(path: Path | None, name: str) -> list[str]:
    if path is None:
        return []
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ParamsError(f"{name}: {path} cannot be read as UTF-8 text; correct the path or set it to null") from error
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


# --- first pass: where details stand ------------------------------------------------------------------------------------


def _prepare_find(given: Table, params: ScrubParams, lists: Lists, key: Key) -> Maker:
    look = make_look(params)

    def make(part: Part) -> Outcome:
        conversations = given.read(part)
        found = find(conversations, params.kept_types, look, lists)
        hashes = keyed(conversations, found, Surrogates(key, countries=params.countries))
        return Outcome(kept=found, beside=hashes._asdict())

    return make


def make_look(params: ScrubParams) -> Look:
    """Recognizers and models of the params, as one function.

    Raises:
        ParamsError: a recognizer or model is not on the shelf.
    """
    # here, because Presidio and spaCy take a second to import and `ticketmill --help` needs neither
    from pipeline.analysis.analyzer import Analyzer  # noqa: PLC0415
    from pipeline.recognizers import MODELS, RECOGNIZERS, technical  # noqa: PLC0415

    for kind, wanted, shelf in (("recognizers", params.recognizers, RECOGNIZERS), ("models", params.models, MODELS)):
        if unknown := [name for name in wanted if name.partition(":")[0] not in shelf]:
            raise ParamsError(f"scrub.{kind}: {unknown[0]!r} is not one of {', '.join(shelf)}")
    recognizers = [one for name in params.recognizers for one in RECOGNIZERS[name](params.language, params.countries)]
    analyzer = Analyzer(recognizers, params.language, params.min_score)
    models = [MODELS[kind](name) for kind, _, name in (each.partition(":") for each in params.models)]

    def look(texts: Sequence[str]) -> list[list[Span]]:
        by_model = [model(texts) for model in models]
        return [
            [
                *technical.without_things(text, analyzer.analyze(text)),
                *spoken.find(text, analyzer.analyze),
                *technical.believable(text, [span for spans in by_model for span in spans[number]]),
            ]
            for number, text in enumerate(texts)
        ]

    return look


# --- between the passes -------------------------------------------------------------------------------------------------


class Keyed(NamedTuple):
    """What the first pass writes about details without their text, besides where they stand."""

    values: pl.DataFrame
    """VALUES."""

    barred: pl.DataFrame
    """BARRED."""


def keyed(conversations: pl.DataFrame, found: pl.DataFrame, surrogates: Surrogates) -> Keyed:
    """Keyed hashes of all details of these conversations, found or stated by the export."""
    stated: dict[str, set[tuple[str, str]]] = {
        conversation_id: set(known_values.participants_of(participants))
        for conversation_id, participants in conversations.select("conversation_id", "participants").iter_rows()
    }
    details = {conversation_id: set(values) for conversation_id, values in stated.items()}
    for conversation_id, entity_type, value in _details(conversations, found):
        details[conversation_id].add((entity_type, value))
    atoms = {
        conversation_id: {atom for kind, value in values if kind not in DATES for atom in surrogates.atoms(kind, value)}
        for conversation_id, values in details.items()
    }
    together = (
        (own, {code for _, value in stated[conversation_id] if len(code := normal_code(value)) >= MIN_KNOWN})
        for conversation_id, own in atoms.items()
    )
    every = sorted({atom for own in atoms.values() for atom in own}, key=lambda atom: (atom.kind, atom.shape, atom.value))
    return Keyed(values_frame(surrogates, every), barred_frame(surrogates, together))


def _details(conversations: pl.DataFrame, found: pl.DataFrame) -> Iterator[tuple[str, str, str]]:
    """(conversation_id, entity type, value) of every find."""
    texts = _texts(conversations)
    for conversation_id, column, index, start, end, entity_type, _, _ in found.iter_rows():
        yield conversation_id, entity_type, spoken.in_digits(entity_type, texts(conversation_id, column, index)[start:end])


def _texts(conversations: pl.DataFrame) -> Callable[[str, str, int], str]:
    turns = conversations["turns"].list.eval(pl.element().struct.field("text")).to_list()
    place = {conversation_id: number for number, conversation_id in enumerate(conversations["conversation_id"])}
    columns: dict[str, list[Any]] = {name: conversations[name].to_list() for name in (*COLUMNS, "topics")}
    arguments_of = arguments(conversations)

    def text(conversation_id: str, column: str, index: int) -> str:
        number = place[conversation_id]
        if column == "turns":
            return turns[number][index] or ""
        if column == "arguments":
            return arguments_of[number][index].value
        value = columns[column][number]
        return str(value[index] if column == "topics" else value)

    return text


def found_beside(target: Path) -> Path:
    """The hidden table of the first pass."""
    return target.with_name(f".{target.name}.found")


def settled(found: Table, surrogates: Surrogates, first: Mapping[str, int]) -> dict[str, int]:
    """What `settle` decides on everything that the first pass found; `first` are draws that were held before."""
    if not found.manifest.total("values"):
        return {}
    values = found.scan("values").unique("seed").collect()
    return settle(values, surrogates, found.scan("barred").unique().collect(), first)


def _moved_in(found: Table, part: Part, moved: Mapping[str, int]) -> dict[str, int]:
    if not moved:
        return {}
    seeds = found.read(part, "values", ["seed"])["seed"]
    return {seed: moved[seed] for seed in seeds if seed in moved}


def _digest(moved: Mapping[str, int]) -> str:
    return sha256(json.dumps(moved, sort_keys=True).encode()).hexdigest()


# --- second pass: stand-ins ---------------------------------------------------------------------------------------------


def _prepare_replace(given: Table, found: Table, params: ScrubParams, key: Key) -> Maker:
    def make(payload: tuple[Part, Part, Mapping[str, int]]) -> Outcome:
        part, found_part, moved = payload
        conversations = given.read(part)
        outcome = replace(conversations, found.read(found_part), params, Surrogates(key, moved, params.countries))
        outcome.account_for(conversations["conversation_id"], f"scrub, {part.name}")
        return outcome

    return make


def replace(conversations: pl.DataFrame, found: pl.DataFrame, params: ScrubParams, surrogates: Surrogates) -> Outcome:
    """Put stand-ins where details stand.

    Args:
        conversations: INGESTED.
        found: FOUND of the same conversations.
        params: modes and dates.
        surrogates: draws the stand-ins.
    Returns:
        kept: SCRUBBED, every conversation. beside: `findings` (FINDINGS). counts: turns, turns with findings, details in
        columns and arguments, and found_<TYPE>.
    """
    import pyarrow as pa  # type: ignore[import-untyped]  # ships no types  # noqa: PLC0415  # 0.3 s, which --help need not wait for

    conversations = conform(conversations, INGESTED, "scrub: ingested")
    turns = conversations["turns"].rechunk().to_arrow()
    offsets = turns.offsets.to_pylist()
    flat = turns.flatten()
    base = offsets[0]
    texts: list[str] = [text or "" for text in flat.field("text").to_pylist()]
    calls = flat.field("call").to_pylist() if flat.field("call").null_count < len(flat) else []
    turn_ids: list[str] = flat.field("turn_id").to_pylist()
    columns: dict[str, list[Any]] = {name: conversations[name].to_list() for name in (*COLUMNS, "topics")}
    customers = conversations["customer_key"].to_list()
    place = {conversation_id: number for number, conversation_id in enumerate(conversations["conversation_id"])}
    findings: list[tuple[Any, ...]] = []
    counts = Counter(turns=len(texts), turns_with_findings=0, details_in_columns=0)
    for conversation_id, rows in _by_conversation(found):
        number = place[conversation_id]
        writer = _Writer(params, surrogates, customers[number] or conversation_id)
        for column, index, spans in rows:
            if column == "turns":
                at = offsets[number] - base + index
                texts[at], moved = writer.rewrite(texts[at], spans)
                counts["turns_with_findings"] += 1
                counts.update(f"found_{span.entity_type}" for span in spans)
                findings.extend((conversation_id, turn_ids[at], *span[:5], *new) for span, new in zip(spans, moved, strict=True))
                continue
            counts["details_in_columns"] += len(spans)
            if column == "arguments":
                own = [
                    each
                    for call in calls[offsets[number] - base : offsets[number + 1] - base]
                    if call
                    for each in call["arguments"] or ()
                ]
                own[index]["value"] = writer.rewrite(own[index]["value"], spans)[0]
                continue
            values = columns[column]
            if column == "topics":
                values[number] = [
                    writer.rewrite(topic, spans)[0] if position == index else topic
                    for position, topic in enumerate(values[number])
                ]
            else:
                values[number] = writer.rewrite(values[number], spans)[0]
    written = {"text": texts, **({"call": calls} if calls else {})}
    fields = [pa.array(written[name], flat.field(name).type) if name in written else flat.field(name) for name in flat.type.names]
    rewritten = pa.LargeListArray.from_arrays(
        pa.array([offset - base for offset in offsets], pa.int64()), pa.StructArray.from_arrays(fields, names=flat.type.names)
    )
    kept = conversations.with_columns(
        pl.Series("turns", rewritten, dtype=SCRUBBED["turns"]),
        *(pl.Series(name, values, dtype=SCRUBBED[name]) for name, values in columns.items()),
    ).select(list(SCRUBBED))
    return Outcome(
        kept=conform(kept, SCRUBBED, "scrub"),
        beside={"findings": pl.DataFrame(findings, schema=dict(FINDINGS), orient="row")},
        counts=dict(counts),
    )


def _by_conversation(found: pl.DataFrame) -> Iterator[tuple[str, list[tuple[str, int, list[Span]]]]]:
    """The finds of one conversation after the other, by text, in order."""
    rows: list[tuple[str, int, list[Span]]] = []
    current = None
    for conversation_id, column, index, *span in found.iter_rows():
        if conversation_id != current:
            if rows:
                yield str(current), rows
            current, rows = conversation_id, []
        if not rows or rows[-1][:2] != (column, index):
            rows.append((column, index, []))
        rows[-1][2].append(Span(*span))
    if rows:
        yield str(current), rows


class _Writer:
    """Writes stand-ins into the texts of one conversation."""

    def __init__(self, params: ScrubParams, surrogates: Surrogates, customer: str) -> None:
        self._params = params
        self._surrogates = surrogates
        self._days = surrogates.days_for(customer, params.max_shift_weeks)
        self._numbers: dict[str, dict[str, int]] = {}

    def rewrite(self, text: str, spans: Sequence[Span]) -> tuple[str, list[tuple[int, int]]]:
        """The text with stand-ins, and where each of them stands."""
        pieces: list[str] = []
        moved: list[tuple[int, int]] = []
        position = length = 0
        for span in spans:
            standin = self._standin(span.entity_type, spoken.in_digits(span.entity_type, text[span.start : span.end]))
            pieces += [text[position : span.start], standin]
            length += span.start - position
            moved.append((length, length + len(standin)))
            length += len(standin)
            position = span.end
        pieces.append(text[position:])
        return "".join(pieces), moved

    def _standin(self, entity_type: str, value: str) -> str:
        mode = self._params.modes.get(entity_type, self._params.default_mode)
        if mode == "keep":
            return value
        if mode == "mask":
            return MASK
        if mode == "placeholder":
            numbers = self._numbers.setdefault(entity_type, {})
            return f"<{entity_type}_{numbers.setdefault(normal_code(value), len(numbers) + 1)}>"
        if entity_type in DATES and (shifted := shift_date(value, self._days, day_first=self._params.day_first)) is not None:
            return shifted
        return self._surrogates.replace(entity_type, value)


def scrub(conversations: pl.DataFrame, params: ScrubParams, look: Look, key: Key, lists: Lists = Lists()) -> Outcome:  # noqa: B008  # immutable
    """Both passes over conversations that are the whole corpus: for one part, a sample or a test."""
    found = find(conversations, params.kept_types, look, lists)
    surrogates = Surrogates(key, countries=params.countries)
    hashes = keyed(conversations, found, surrogates)
    moved = settle(hashes.values, surrogates, hashes.barred)
    return replace(conversations, found, params, Surrogates(key, moved, params.countries))
