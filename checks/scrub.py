"""Is anything personal left? Judged without the stage's recognizers, spans or findings.

Two kinds of evidence: what the export itself said about its people is looked for again in the scrubbed text, by a simple
search over words and digits; and plain patterns look for identifiers that are valid and not in a reserved range.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from typing import Any, Final
from urllib.parse import unquote_plus

import polars as pl
from pydantic import Field

from checks.gate import Limit, at_least, at_most
from checks.parts import Counts, EachPart, every_part, with_sources
from pipeline.errors import TableError
from pipeline.finding import ENDING
from pipeline.key import Key
from pipeline.known_values import FUNCTION_WORDS, NAME_WORDS
from pipeline.params import Section
from pipeline.replacing.number_signs import luhn_sum
from pipeline.scrub import PARAMS, ScrubParams
from pipeline.surrogates.phones import NOBODYS
from pipeline.tables import Part, Table

MIN_DIGITS: Final = 4
"""Shorter numbers are everywhere."""

MIN_PART: Final = 3
"""Letters of a part of a name that is looked for by itself."""


SHORTEST_IBAN: Final = 15
"""Norway's."""


class Bounds(Section):
    """What the scrubbed table must keep."""

    not_swept: list[str]
    """Entity types whose known values may stay, because `scrub.modes` keeps them."""

    max_known_value_hits: int = Field(ge=0)
    """Conversations' own known values (names, numbers, addresses from the export) that still stand in their text."""

    max_residual_per_1000_turns: float = Field(ge=0)
    """Finds of the second detector: valid e-mail addresses, cards, IBANs, IPv4 addresses and telephone numbers outside the
    ranges reserved for examples."""

    max_secrets: int = Field(ge=0)
    """Keys, tokens and private keys that the second detector still sees."""

    planted_ids_per_kind: int = Field(ge=1)
    """Invented values per kind that are planted into copies of the conversations and scrubbed with the params of the table.
    299 without a miss show 99 %, and one miss would fail; of 1,000, four may be missed."""

    planted_names_per_group: int = Field(ge=1)
    """The same of names, per group. Of 300, eight may be missed and show 95 %."""

    min_planted_ids_lower: float = Field(ge=0, le=1)
    """Lower bound (one-sided 95 %, Clopper-Pearson) on the recall of planted cards, IBANs, social security numbers, e-mail
    addresses: of the worst kind."""

    min_planted_names_lower: float = Field(ge=0, le=1)
    """The same of planted names: of the worst of eight groups of names."""

    max_planted_gap: float = Field(ge=0, le=1)
    """Recall of the best group of names less that of the worst."""

    min_turns_with_findings_share: float = Field(ge=0, le=1)
    """Share of the turns in which something was replaced; 0 found in a real export means that nothing was looked for."""

    max_turns_with_findings_share: float = Field(ge=0, le=1)
    """A larger share says that a recognizer fires on everything and the texts are spoilt."""


def measure(table: Table, bounds: Bounds, each: EachPart = every_part) -> pl.DataFrame:
    """One row.

    Columns:
        lost: conversations that went in and are in no part of the table; null when the table before cannot be read.
        known_value_hits: known values that still stand in the text or columns of their conversation; null when a part they were
            made from cannot be read.
        known_values: how many were looked for.
        emails, cards, ibans, ip_addresses, phones, secrets: finds of the second detector.
        residual_per_1000_turns: the first five over the turns; null without a turn.
        turns_with_findings_share: null without a turn.
        planted_ids_lower, planted_names_lower, planted_gap: null when the table before cannot be read, holds no turn, or the
            table does not say with which params it was made.
    """
    before = table.previous()
    parts = each(table, partial(_count, table, before, frozenset(bounds.not_swept)), decides=[sorted(bounds.not_swept)])
    counts: Counter[str] = Counter()
    for part in parts:
        counts.update({name: count or 0 for name, count in part.items()})
    is_whole = before is not None and all(part["hits"] is not None for part in parts)
    residuals, turns = sum(counts[name] for name in DETECTORS if name != "secrets"), counts["turns"]
    columns: dict[str, float | int | None] = {
        "lost": _lost(table, before),
        "known_values": counts["looked_for"],
        "known_value_hits": counts["hits"] if is_whole else None,
        **{name: counts[name] for name in DETECTORS},
        "residual_per_1000_turns": 1000 * residuals / turns if turns else None,
        "turns_with_findings_share": counts["with_findings"] / turns if turns else None,
        **_planted(table, before, bounds, each),
    }
    return pl.DataFrame({name: [value] for name, value in columns.items()}, schema_overrides=dict.fromkeys(columns, pl.Float64))


def _count(table: Table, before: Table | None, not_swept: frozenset[str], part: Part, source: Part | None) -> Counts:
    """Of one part; `hits` is None where the part it was made from is not there."""
    kept = table.read(part)
    texts = _texts(kept)
    residuals = Counter(name for all_texts in texts.values() for text in all_texts for name in residual(text))
    counts: dict[str, int | None] = {
        "turns": int(kept["turns"].list.len().sum()),
        "with_findings": table.read(part, "findings", ["conversation_id", "turn_id"]).unique().height,
        **{name: residuals[name] for name in DETECTORS},
        "looked_for": 0,
        "hits": None,
    }
    if before is None or source is None:
        return counts
    looked_for = hits = 0
    for conversation_id, values in _known_values(before, source, not_swept):
        looked_for += len(values)
        hits += len(list(_stands(texts.get(conversation_id, []), values)))
    return {**counts, "looked_for": looked_for, "hits": hits}


def _known_values(before: Table, source: Part, not_swept: frozenset[str]) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """conversation_id and the kinds and values that the export states of its people."""
    for conversation_id, participants in before.read(source, columns=["conversation_id", "participants"]).iter_rows():
        yield (
            conversation_id,
            sorted({(row["kind"], row["value"]) for row in participants or [] if row["kind"] not in not_swept}),
        )


def _lost(table: Table, before: Table | None) -> int | None:
    """Of every part that went in, whether or not a part came of it."""
    if before is None:
        return None
    try:
        given, kept = (_ids(each) for each in (before, table))
    except TableError:
        return None
    return given.join(kept, on="conversation_id", how="anti").height


def _ids(table: Table) -> pl.DataFrame:
    frames = [table.read(part, columns=["conversation_id"]) for part in table.manifest.parts]
    return pl.concat(frames) if frames else pl.DataFrame(schema={"conversation_id": pl.String})


def expectations(bounds: Bounds) -> list[Limit]:
    """The bounds as limits on the measures."""
    findings = "turns in which something was replaced, of all turns"
    return [
        at_most("lost", 0, "conversations that went in and are nowhere in the table"),
        at_most(
            "known_value_hits",
            bounds.max_known_value_hits,
            "names, numbers, addresses that the export states of a conversation's people and that still stand in its text",
        ),
        at_most(
            "residual_per_1000_turns",
            bounds.max_residual_per_1000_turns,
            "valid mail addresses, cards, IBANs, IPv4 addresses and telephone numbers that a second detector still sees",
        ),
        at_most("secrets", bounds.max_secrets, "keys, tokens and private keys that a second detector still sees"),
        at_least(
            "planted_ids_lower",
            bounds.min_planted_ids_lower,
            "share of planted cards, IBANs, social security numbers, mail addresses that are gone: lower bound, worst kind",
        ),
        at_least(
            "planted_names_lower",
            bounds.min_planted_names_lower,
            "share of planted names that are gone: lower bound, worst group of names",
        ),
        at_most("planted_gap", bounds.max_planted_gap, "recall of the best group of names less that of the worst"),
        at_least("turns_with_findings_share", bounds.min_turns_with_findings_share, findings),
        at_most("turns_with_findings_share", bounds.max_turns_with_findings_share, findings),
    ]


def where(table: Table, measure: str, bounds: Bounds, each: EachPart = every_part) -> Iterator[str]:
    """Ids of conversations with the kinds of what is left; kinds and groups of what was planted; types of what was found."""
    before = table.previous()
    if measure == "known_value_hits" and before:
        for part, source in with_sources(table, before):
            if source:
                yield from _with_known_values(table, part, before, source, frozenset(bounds.not_swept))
    elif measure in {"residual_per_1000_turns", "secrets"}:
        yield from _with_residuals(table, {"secrets"} if measure == "secrets" else DETECTORS.keys() - {"secrets"})
    elif measure == "lost" and before:
        yield from _ids(before).join(_ids(table), on="conversation_id", how="anti")["conversation_id"]
    elif measure.startswith("planted"):
        found, planted = _of_planted(table, before, bounds, each) or (Counter(), Counter())
        cells = [cell for cell in planted if (cell in PLANTED_IDS) == (measure == "planted_ids_lower")]
        worst = sorted(cells, key=lambda cell: found[cell] / planted[cell])
        yield from (f"{cell} ({found[cell]:,} of {planted[cell]:,} gone)" for cell in worst if found[cell] < planted[cell])
    elif measure == "turns_with_findings_share" and table.manifest.total("findings"):
        types = table.scan("findings").group_by("entity_type").len().sort("len", "entity_type", descending=True)
        yield from (f"{entity_type} ({count:,} found)" for entity_type, count in types.collect().iter_rows())


def _with_residuals(table: Table, wanted: AbstractSet[str]) -> Iterator[str]:
    for part in table.manifest.parts:
        for conversation_id, texts in _texts(table.read(part)).items():
            if kinds := sorted({name for text in texts for name in residual(text)} & wanted):
                yield f"{conversation_id} ({', '.join(kinds)})"


def _with_known_values(table: Table, part: Part, before: Table, source: Part, not_swept: frozenset[str]) -> Iterator[str]:
    texts = _texts(table.read(part))
    for conversation_id, values in _known_values(before, source, not_swept):
        if left := sorted(set(_stands(texts.get(conversation_id, []), values))):
            yield f"{conversation_id} ({', '.join(left)})"


# --- planted ------------------------------------------------------------------------------------------------------------

PLANTED_IDS: Final = ("CREDIT_CARD", "EMAIL_ADDRESS", "IBAN_CODE", "US_SSN")
SEED: Final = 1
SLOTS: Final = 500
"""Different turns that are planted into."""

THROWAWAY_KEY: Final = Key(b"planted values are nobody's secret")
"""What is found does not depend on the key."""


def _planted(table: Table, before: Table | None, bounds: Bounds, each: EachPart) -> dict[str, float | None]:
    from checks.bounds import lower  # noqa: PLC0415  # scipy

    counted = _of_planted(table, before, bounds, each)
    if counted is None:
        return dict.fromkeys(("planted_ids_lower", "planted_names_lower", "planted_gap"))
    found, planted = counted
    lowest = {cell: lower(found[cell], planted[cell]) for cell in planted}
    names = [cell for cell in planted if cell not in PLANTED_IDS]
    recalls = [found[cell] / planted[cell] for cell in names]
    return {
        "planted_ids_lower": min(lowest[kind] for kind in PLANTED_IDS),
        "planted_names_lower": min(lowest[cell] for cell in names),
        "planted_gap": max(recalls) - min(recalls),
    }


def _of_planted(table: Table, before: Table | None, bounds: Bounds, each: EachPart) -> tuple[Counter[str], Counter[str]] | None:
    """Kind of an id or group of a name -> how many of the planted are gone, and how many were planted; None: nothing could be."""
    from checks.readiness.planting import by_slot, plan, read_short, scrub_planted  # noqa: PLC0415  # numpy; imports the stage, and it Presidio

    used = table.folder / PARAMS
    if before is None or PARAMS not in table.manifest.extras or not before.manifest.total("kept"):
        return None
    section = ScrubParams.model_validate_json(used.read_bytes())
    plants = plan(max(bounds.planted_ids_per_kind, bounds.planted_names_per_group), SEED)
    numbers = _wanted(plants, bounds)
    slots = by_slot(before, SLOTS, SEED)
    of_slot = [numbers[place::SLOTS] for place in range(SLOTS)]
    slot_of = {number: place for place, its_numbers in enumerate(of_slot) for number in its_numbers}
    schema = pl.Schema(pl.read_parquet_schema(before.path(slots[0][0])))

    def count(places: Sequence[int]) -> list[Counts]:
        hosts = read_short(before, (slots[place] for place in places))
        # without a turn there is nothing to plant into, and nothing found
        hosted = [(number, host) for place in places if (host := hosts.get(slots[place][1])) for number in of_slot[place]]
        found: dict[int, Counter[str]] = {place: Counter() for place in places}
        gone = scrub_planted(plants, hosted, schema, section, THROWAWAY_KEY)
        for (number, _), is_gone in zip(hosted, gone, strict=True):
            found[slot_of[number]][_cell(plants[number])] += is_gone
        return list(found.values())

    decides = [
        [table.manifest.fingerprint, part.files["kept"], one, of_slot[place], len(plants)]
        for place, (part, one) in enumerate(slots)
    ]
    found: Counter[str] = Counter()
    for counts in each.of_each(decides, count):
        found.update({cell: more or 0 for cell, more in counts.items()})
    return found, Counter(_cell(plants[number]) for number in numbers)


def _wanted(plants: Sequence[Mapping[str, str]], bounds: Bounds) -> list[int]:
    """The numbers of the plants to use: plainly written ids of each kind, and names of each group."""
    left = Counter(dict.fromkeys(PLANTED_IDS, bounds.planted_ids_per_kind))
    numbers = []
    for number, each in enumerate(plants):
        cell = _cell(each)
        if each["entity_type"] == "PERSON":
            left.setdefault(cell, bounds.planted_names_per_group)
        if each["oddity"] == "plain" and left[cell] > 0:
            left[cell] -= 1
            numbers.append(number)
    return numbers


def _cell(plant: Mapping[str, str]) -> str:
    """What is counted together: the kind of an id, the group of a name."""
    return plant["group"] or plant["entity_type"]


def _texts(kept: pl.DataFrame) -> dict[str, list[str]]:
    """conversation_id -> the texts of its turns, look-ups with the names they use, and columns that hold words."""
    texts = kept.select(
        "conversation_id",
        pl.col("turns").list.eval(pl.element().struct.field("text")),
        pl.col("turns")
        .list.eval(pl.element().struct.field("call").struct.field("arguments").drop_nulls().explode(empty_as_null=False))
        .list.eval(pl.concat_str(pl.element().struct.field("name", "value"), separator=" "))
        .alias("arguments"),
        pl.col("turns").list.eval(pl.element().struct.field("call").struct.field("name").drop_nulls()).alias("tools"),
        pl.concat_list("channel", "language", "product").alias("columns"),
        "source_file",
        "topics",
    )
    return {
        conversation_id: [
            text
            for text in (*turns, *(typed or []), *(tools or []), *columns, ENDING.sub(" ", file or ""), *(topics or []))
            if text
        ]
        for conversation_id, turns, typed, tools, columns, file, topics in texts.iter_rows()
    }


# --- known values -------------------------------------------------------------------------------------------------------

_WORD: Final = re.compile(r"[^\W_]+")
_BETWEEN_DIGITS: Final = re.compile(r"(?<=\d)[ .()/-]{1,3}(?=\d)")


def _stands(texts: Sequence[str], values: Sequence[tuple[str, str]]) -> Iterator[str]:
    """The kind of each value that can still be read."""
    if not values:
        return
    texts = [*texts, *(unquote_plus(text) for text in texts if "%" in text)]  # in web addresses
    words = [_WORD.findall(text) for text in texts]
    lines = "\n".join(" " + " ".join(line).casefold() + " " for line in words)
    capitalised = {word.casefold() for line in words for word in line if not word.islower()}
    numbers = {number for text in texts for number in re.findall(r"\d+", _BETWEEN_DIGITS.sub("", text))}
    numbers |= {number for text in texts for number in re.findall(r"\d+", text)}
    for kind, value in values:
        pieces = _WORD.findall(value.casefold())
        digits = "".join(filter(str.isdecimal, value))
        if not pieces or (len(pieces) == 1 and (pieces[0] in FUNCTION_WORDS or len(pieces[0]) < MIN_PART)):
            continue
        if len(digits) >= MIN_DIGITS and len(digits) * 2 >= sum(map(len, pieces)):
            stands = digits in numbers
        elif len(pieces) == 1 and pieces[0] in NAME_WORDS:
            stands = pieces[0] in capitalised
        elif kind == "PERSON":
            parts = [piece for piece in pieces if len(piece) >= MIN_PART and piece not in FUNCTION_WORDS]
            stands = any(part in capitalised if part in NAME_WORDS else f" {part} " in lines for part in parts)
        else:
            stands = f" {' '.join(pieces)} " in lines
        if stands:
            yield kind


# --- second detector ----------------------------------------------------------------------------------------------------

_EMAIL: Final = re.compile(r"[\w.+-]{1,64}@([\w-]{1,63}(?:\.[\w-]{1,63}){1,5})")
_CARD: Final = re.compile(r"(?<![\w.+-])[3-6](?:[ -]?\d){12,18}(?![\w-])")
_IBAN: Final = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")
_IPV4: Final = re.compile(r"(?<![\d.])(?:(?:0|[1-9]\d{0,2})\.){3}(?:0|[1-9]\d{0,2})(?![\d.])")
_RESERVED_IPV4: Final = re.compile(r"192\.0\.2\.|198\.51\.100\.|203\.0\.113\.|2[45]\d\.|127\.|0\.")
_PHONE: Final = re.compile(r"(?<![\d-])(?<!\b00\d\d[ ./])(?:\+?1[ .-]?)?\(?([2-9]\d\d)\)?[ .-]([2-9]\d\d)[ .-](\d{4})(?![\d-])")
_INTERNATIONAL_PHONE: Final = re.compile(r"(?<![\w+])\+[2-9]\d{0,2}(?:[ ./()-]{0,3}\d){6,12}(?![\w-])")
_SECRET: Final = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY|\beyJ[\w-]{10,}\.[\w-]{10,}\.|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bgh[pousr]_\w{36}"
    r"|\bxox[abprs]-[\w-]{10}|\b[rs]k_live_\w{10}|\bAIza[\w-]{35}|\bsk-[\w-]{20}|://[^\s:/@]{1,60}:[^\s/@]{3,100}@"
)


def _emails(text: str) -> int:
    if "@" not in text:
        return 0
    return sum(not re.fullmatch(r"(?:.+\.)?example(?:\.com|\.net|\.org)?", domain) for domain in _EMAIL.findall(text))


def _cards(text: str) -> int:
    numbers = ("".join(filter(str.isdecimal, match)) for match in _CARD.findall(text))
    return sum(luhn_sum(number) % 10 == 0 for number in numbers)


def _ibans(text: str) -> int:
    codes = (match.replace(" ", "") for match in _IBAN.findall(text))
    return sum(_is_iban(code) for code in codes if len(code) >= SHORTEST_IBAN)


def _is_iban(code: str) -> bool:
    return int("".join(str(int(sign, 36)) for sign in code[4:] + code[:4])) % 97 == 1


def _ip_addresses(text: str) -> int:
    return sum(
        all(int(number) < 256 for number in match.split(".")) and not _RESERVED_IPV4.match(match)  # noqa: PLR2004  # one byte
        for match in _IPV4.findall(text)
    )


def _phones(text: str) -> int:
    if "+" not in text:
        return _domestic_phones(text)
    numbers = ["".join(filter(str.isdecimal, number)) for number in _INTERNATIONAL_PHONE.findall(text)]
    return _domestic_phones(_INTERNATIONAL_PHONE.sub(" ", text)) + sum(map(_is_somebodys_phone, numbers))


def _domestic_phones(text: str) -> int:
    return sum(not (exchange == "555" and line.startswith("01")) for _, exchange, line in _PHONE.findall(text))


def _is_somebodys_phone(digits: str) -> bool:
    import phonenumbers  # noqa: PLC0415  # its tables are read for the few texts with such a number

    if NOBODYS.fullmatch(digits):
        return False
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse("+" + digits))
    except phonenumbers.NumberParseException:
        return False


def _secrets(text: str) -> int:
    return len(_SECRET.findall(text))


DETECTORS: Final[dict[str, Callable[[str], int]]] = {
    "emails": _emails,
    "cards": _cards,
    "ibans": _ibans,
    "ip_addresses": _ip_addresses,
    "phones": _phones,
    "secrets": _secrets,
}


def residual(text: str) -> list[str]:
    """What the second detector sees in a text: the name of the detector, once per find."""
    has_digit = any(map(str.isdecimal, text))
    names: Any = DETECTORS if has_digit else ("emails", "secrets")
    return [name for name in names for _ in range(DETECTORS[name](text))]
