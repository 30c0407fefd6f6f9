"""Plant invented identifiers into a copy of the owner's own conversations, scrub the copy, count what is gone.

The copy lives in memory. Values are drawn by seed: names of eight groups of names (frequent given and family names, combined
at random, so nobody in particular), cards and account numbers with sound check digits in no issuer's live range, addresses of
made-up companies. Each is written in a sentence that announces it, or in one that does not, in the language of the
conversation, and in several odd ways.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from checks.readiness.corpus import draw
from checks.readiness.evidence import KINDS
from checks.readiness.sentences import SENTENCES, sentence
from pipeline.errors import TableError
from pipeline.key import Key
from pipeline.params import load_section
from pipeline.tables import Part, Table

GROUPS: Final[Mapping[str, tuple[str, str]]] = {
    "anglo": (
        "James Mary Oliver Susan George Emily Harry Grace Peter Claire",
        "Wilson Taylor Walker Hughes Carter Bennett Foster Reed",
    ),
    "black_american": (
        "Darnell Latoya Jamal Keisha DeShawn Tamika Tyrone Ebony Malik Imani",
        "Washington Jefferson Booker Banks Mosley Gaines Dorsey Rivers",
    ),
    "hispanic": (
        "José María Carlos Guadalupe Luis Ximena Diego Lucía Javier Rocío",
        "García Hernández Núñez Ramírez Castillo Ortega Fuentes Peña",
    ),
    "south_asian": (
        "Priya Arjun Lakshmi Rahul Ananya Vikram Fatima Imran Deepika Sanjay",
        "Patel Sharma Iyer Chaudhry Reddy Mukherjee Khan Nair",
    ),
    "east_asian": (
        "Wei Xiu Ming Yuki Haruto Sakura Jisoo Minjun Ling Kenji",
        "Zhang Wang Nguyen Tanaka Suzuki Kim Park Huang",
    ),
    "arabic": (
        "Mohammed Aisha Omar Layla Khalid Zainab Yusuf Noor Hassan Samira",
        "Al-Farsi Haddad Mansour Khoury Rahman Saleh Nasser Aziz",
    ),
    "slavic": (
        "Ivan Olga Dmitri Katarzyna Piotr Svetlana Milan Jelena Tomasz Nadia",
        "Kowalski Novák Petrov Ivanova Horvat Nowak Sokolov Jovanović",
    ),
    "west_african": (
        "Chinedu Ngozi Kwame Abena Oluwaseun Adaeze Kofi Amara Emeka Folake",
        "Okafor Adeyemi Mensah Boateng Nwosu Diallo Balogun Owusu",
    ),
}
"""Group -> given names, family names. Groups as audited in Mansfield 2022, arXiv 2205.04505, and three more."""

ODDITIES: Final[Mapping[str, tuple[str, ...]]] = {
    "PERSON": ("plain", "lower", "typo", "spaced", "spelled_out"),
    "EMAIL_ADDRESS": ("plain", "lower", "spelled_out"),
    "PHONE_NUMBER": ("plain", "spaced", "spelled_out"),
    "CREDIT_CARD": ("plain", "spaced", "spelled_out"),
    "IBAN_CODE": ("plain", "lower", "spaced"),
    "US_SSN": ("plain", "spaced", "spelled_out"),
    "IP_ADDRESS": ("plain",),
}
"""Ways in which people write each kind; an id that is misspelt is none."""

ODD_SHARE: Final = 5
"""One odd value for so many plain ones."""


def plant_and_scrub(
    ingested: Table, params_files: Sequence[Path], key: Key, n: int, seed: int, overrides: Sequence[str] = ()
) -> pl.DataFrame:
    """Evidence of kind `planted`: one row per kind, group and oddity.

    Args:
        ingested: the owner's raw conversations, of which copies are planted into; read only.
        params_files: hold the section `scrub` that is measured.
        key: of the project.
        n: plain values per kind and group of names; a fifth of it per oddity.
        seed: of the draw.
        overrides: values over the files, as on the command line.
    """
    from pipeline.scrub import ScrubParams  # noqa: PLC0415  # the stage that is measured

    section = load_section(ScrubParams, "scrub", params_files, overrides)
    plants = plan(n, seed)
    hosts = hosts_of(ingested, min(len(plants), MAX_HOSTS), seed)
    gone = scrub_planted(plants, list(zip(range(len(plants)), cycle(hosts.to_dicts()))), hosts.schema, section, key)
    return (
        pl.DataFrame(plants)
        .with_columns(gone=pl.Series(gone, dtype=pl.Boolean))
        .group_by("entity_type", "group", "oddity")
        .agg(planted=pl.len().cast(pl.Int64), found=pl.col("gone").sum().cast(pl.Int64))
        .sort("entity_type", "group", "oddity")
        .select(list(KINDS["planted"]))
    )


def scrub_planted(
    plants: Sequence[Mapping[str, str]],
    hosted: Sequence[tuple[int, Mapping[str, Any]]],
    schema: pl.Schema,
    section: Any,
    key: Key,
) -> list[bool]:
    """Put plants, each by its number, into copies of their hosts, scrub the copies with these ScrubParams.

    Args:
        plants: all of the plan.
        hosted: number of the plant, and the conversation it is put into.
        schema: of the conversations.
        section: ScrubParams.
        key: of the stand-ins.

    Returns:
        Whether each is gone, in that order.
    """
    from pipeline.scrub import make_look, read_lists, scrub  # noqa: PLC0415  # as above

    look, lists = make_look(section), read_lists(section)
    gone: list[bool] = []
    for start in range(0, len(hosted), CHUNK):
        chunk = hosted[start : start + CHUNK]
        scrubbed = scrub(copies(plants, chunk, schema), section, look, key, lists).kept
        texts = scrubbed.sort("source_row")["turns"].list.eval(pl.element().struct.field("text")).list.join("\n").to_list()
        gone += [
            is_gone(plants[number]["written"], plants[number]["entity_type"], text)
            for (number, _), text in zip(chunk, texts, strict=True)
        ]
    return gone


MAX_HOSTS: Final = 2_000
"""Different conversations that are planted into; each is used again for other values."""

MOST_OF_A_TURN: Final = 400
"""Characters of the turns around a plant: several sentences of context."""

CHUNK: Final = 1_000
"""Copies that are scrubbed at a time."""


def plan(n: int, seed: int) -> list[dict[str, str]]:
    """entity_type, group, oddity, written (the value as it will stand), sentence (its number); in a fixed order."""
    generator = np.random.default_rng(seed)
    plants = []
    for kind, make in MAKERS.items():
        for group in GROUPS if kind == "PERSON" else [""]:
            for oddity in ODDITIES[kind]:
                for _ in range(n if oddity == "plain" else -(-n // ODD_SHARE)):
                    written = WRITERS[oddity](make(generator, group), kind, generator)
                    number = str(int(generator.integers(len(SENTENCES["en"][kind]))))
                    plants.append({"entity_type": kind, "group": group, "oddity": oddity, "written": written, "sentence": number})
    return plants


def by_slot(ingested: Table, slots: int, seed: int) -> list[tuple[Part, str]]:
    """One conversation for each of so many slots, with the part that holds it: of those whose draw falls there, the lowest.

    A night that brings one conversation in a hundred changes one slot in a hundred. Into whose slot none falls, the next has.
    """
    ids = pl.concat(
        [
            ingested.read(part, columns=["conversation_id"]).with_columns(part=pl.lit(number, pl.Int64))
            for number, part in enumerate(ingested.manifest.parts)
        ]
    )
    drawn = ids.with_columns(draw=draw(ids["conversation_id"], seed)).with_columns(slot=pl.col("draw") % slots)
    lowest = drawn.sort("draw", "conversation_id").unique("slot", keep="first").select("slot", "part", "conversation_id")
    chosen = pl.DataFrame({"slot": range(slots)}, schema={"slot": pl.UInt64}).join(lowest, on="slot", how="left").sort("slot")
    filled = pl.concat([chosen, chosen]).fill_null(strategy="backward").head(slots)  # the last ones go round to the first
    return [(ingested.manifest.parts[number], one) for number, one in filled.select("part", "conversation_id").iter_rows()]


def read_short(ingested: Table, chosen: Iterable[tuple[Part, str]]) -> dict[str, dict[str, Any]]:
    """Those conversations by id, cut to their shortest turn, so that many plants cost little; without those that have none."""
    ids: dict[str, list[str]] = {}
    for part, one in chosen:
        ids.setdefault(part.name, []).append(one)
    length = pl.element().struct.field("text").str.len_chars()
    shortest = pl.col("turns").list.get(pl.col("turns").list.eval(length).list.arg_min())
    found: dict[str, dict[str, Any]] = {}
    for part in ingested.manifest.parts:
        if part.name in ids:
            rows = ingested.read(part).filter(pl.col("conversation_id").is_in(ids[part.name]), pl.col("turns").list.len() > 0)
            found |= {row["conversation_id"]: row for row in rows.with_columns(turns=pl.concat_list(shortest)).to_dicts()}
    return found


def hosts_of(table: Table, count: int, seed: int) -> pl.DataFrame:
    """Conversations with a turn, the first `count` by hash of their id, from as few parts as hold them."""
    frames: list[pl.DataFrame] = []
    for part in table.manifest.parts:
        rows = table.read(part).filter(pl.col("turns").list.len() > 0)
        frames.append(rows.with_columns(draw=draw(rows["conversation_id"], seed)).sort("draw").head(count))
        if sum(frame.height for frame in frames) > 2 * count:
            frames = [pl.concat(frames).sort("draw").head(count)]
    if not frames or not sum(frame.height for frame in frames):
        raise TableError(f"{table.folder}: holds no turn to plant into; ingest some conversations first")
    return pl.concat(frames).sort("draw").head(count).drop("draw")


def copies(
    plants: Sequence[Mapping[str, str]], hosted: Sequence[tuple[int, Mapping[str, Any]]], schema: pl.Schema
) -> pl.DataFrame:
    """Copies of hosts, one per plant, its sentence added to a turn: of the customer and of the agent in turn.

    Args:
        plants: all of the plan.
        hosted: number of the plant, and the conversation it is put into.
        schema: of the conversations.
    """
    rows: list[dict[str, Any]] = []
    for place, (number, host) in enumerate(hosted):
        each = plants[number]
        wanted = "customer" if number % 2 else "agent"
        at = next((i for i, turn in enumerate(host["turns"]) if turn["speaker"] == wanted), 0)
        # the turns around the plant: what finds it looks at the turn before, and the rest would only be scrubbed again and again
        turns = [{**turn, "text": _end_of(turn["text"] or "")} for turn in host["turns"][max(0, at - 1) : at + 2]]
        planted = turns[min(at, 1)]
        said = sentence(each["entity_type"], int(each["sentence"]), each["written"], host["language"])
        planted["text"] = f"{planted['text']} {said}".strip()
        rows.append({**host, "conversation_id": f"planted-{number:016x}", "source_row": place, "turns": turns})
    return pl.DataFrame(rows, schema=schema)


def _end_of(text: str) -> str:
    """Its last words: a mail of pages around every plant would only be scrubbed again and again."""
    end = text[-MOST_OF_A_TURN:]
    return end if end == text else end.partition(" ")[2] or end


def is_gone(written: str, kind: str, text: str) -> bool:
    """Whether no telling piece of the value is left: of a name no part, of anything else not the value itself."""
    lowered = text.casefold()
    parts = _words(written)
    if kind == "PERSON" and any(len(part) > 2 for part in parts):  # noqa: PLR2004  # "Al" is in many texts
        left = set(_words(text))
        return not any(len(part) > 2 and part in left for part in parts)  # noqa: PLR2004  # as above
    return written.casefold() not in lowered


def _words(text: str) -> list[str]:
    return "".join(character if character.isalnum() else " " for character in text.casefold()).split()


def _with_typo(value: str, _: str, generator: np.random.Generator) -> str:
    at = int(generator.integers(1, len(value) - 2))
    return value[:at] + value[at + 1] + value[at] + value[at + 2 :]


def _spaced(value: str, kind: str, _: np.random.Generator) -> str:
    return value.replace(" ", "  ") if kind == "PERSON" else " ".join(value.replace(" ", ""))


def _spelled_out(value: str, kind: str, _: np.random.Generator) -> str:
    if kind == "EMAIL_ADDRESS":
        return value.replace("@", " at ").replace(".", " dot ")
    if kind == "PERSON":
        return "-".join(value.rsplit(maxsplit=1)[-1].upper())
    return " ".join(DIGITS.get(character, character) for character in value if character.isalnum())


WRITERS: Final[Mapping[str, Callable[[str, str, np.random.Generator], str]]] = {
    "plain": lambda value, _kind, _generator: value,
    "lower": lambda value, _kind, _generator: value.lower(),
    "typo": _with_typo,
    "spaced": _spaced,
    "spelled_out": _spelled_out,
}
"""Oddity -> the value written that way."""

DIGITS: Final = dict(zip("0123456789", "zero one two three four five six seven eight nine".split(), strict=True))  # noqa: SIM905  # read as a line


def _pick(generator: np.random.Generator, values: Sequence[str]) -> str:
    return values[int(generator.integers(len(values)))]


def _digits(generator: np.random.Generator, count: int) -> str:
    return "".join(str(digit) for digit in generator.integers(0, 10, count))


def person(generator: np.random.Generator, group: str) -> str:
    """A given and a family name of one of GROUPS, combined at random."""
    given, family = GROUPS[group]
    return f"{_pick(generator, given.split())} {_pick(generator, family.split())}"


def _mail(generator: np.random.Generator, _: str) -> str:
    group = _pick(generator, list(GROUPS))
    name = person(generator, group).lower().replace(" ", _pick(generator, [".", "_", ""]))
    plain = name.encode("ascii", "ignore").decode().replace("-", "")
    domain = _pick(generator, ["northgate", "bluefern", "ostrava-it", "quillhaven", "tallyworks"])
    return f"{plain}{_digits(generator, 2)}@{domain}.{_pick(generator, ['com', 'net', 'org', 'io', 'co.uk'])}"


def _phone(generator: np.random.Generator, _: str) -> str:
    area = _pick(generator, ("201", "206", "212", "303", "312", "404", "415", "503", "512", "617", "702", "713", "818", "919"))
    exchange, line = 220 + int(generator.integers(0, 330)), 1000 + int(generator.integers(0, 8999))
    shapes = [
        f"({area}) {exchange}-{line}",
        f"{area}-{exchange}-{line}",
        f"+1 {area} {exchange} {line}",
        f"{area}.{exchange}.{line}",
    ]
    return _pick(generator, shapes)


def _card(generator: np.random.Generator, _: str) -> str:
    body = "4000" + _digits(generator, 11)
    doubled = (int(digit) * (2 - place % 2) for place, digit in enumerate(body))
    number = body + str(-sum(value - 9 if value > 9 else value for value in doubled) % 10)  # noqa: PLR2004  # ISO/IEC 7812-1
    groups = [number[start : start + 4] for start in range(0, 16, 4)]
    return _pick(generator, [number, " ".join(groups), "-".join(groups)])


def _iban(generator: np.random.Generator, _: str) -> str:
    account = _digits(generator, 18)
    check = 98 - int(account + "131400") % 97  # D = 13, E = 14; ISO 13616
    return f"DE{check:02d}{account}"


def _ssn(generator: np.random.Generator, _: str) -> str:
    area, group, serial = (int(generator.integers(low, high)) for low, high in ((100, 665), (10, 99), (1000, 9999)))
    return f"{area}-{group}-{serial}"


def _ip(generator: np.random.Generator, _: str) -> str:
    return ".".join(str(int(number)) for number in [generator.integers(11, 99), *generator.integers(1, 255, 3)])


MAKERS: Final[Mapping[str, Callable[[np.random.Generator, str], str]]] = {
    "PERSON": person,
    "EMAIL_ADDRESS": _mail,
    "PHONE_NUMBER": _phone,
    "CREDIT_CARD": _card,
    "IBAN_CODE": _iban,
    "US_SSN": _ssn,
    "IP_ADDRESS": _ip,
}
