"""Every limit of every gate has a fault that trips it: a limit without one fails here."""

import importlib
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import polars as pl
import pytest

from pipeline import emit, generate
from pipeline.params import load_section
from pipeline.schema import ASKED, FINDINGS, SCRUBBED, empty
from pipeline.scrub import PARAMS
from pipeline.stage import Outcome
from pipeline.tables import Table, new_table, write_json
from tests.build import MEANS, conversation, turn
from tests.checks import test_dedupe, test_emit, test_generate, test_ingest, test_scrub, test_validate
from tests.pipeline.generate_tables import deduped, params
from tests.pipeline.scrubbing import SHIPPED, ingested, ingested_table, talk
from tests.pipeline.test_emit import PARAMS as SHIPPED_EMIT
from tests.pipeline.test_emit import a_table

FILE: Final = Path(__file__).parents[2] / "params.yaml"
STAGES: Final = ("ingest", "scrub", "dedupe", "generate", "validate", "emit")
Make = Callable[[Path], Table]

# --- ingest -------------------------------------------------------------------------------------------------------------

SOUND: Final = test_ingest.SOUND
AGENTS_ALONE: Final = [row | {"turns": [turn("agent", "Yes")]} for row in SOUND]
CUSTOMERS_ALONE: Final = [row | {"turns": [turn("customer", "Hello?")]} for row in SOUND]


def received(found: list[dict[str, Any]] = SOUND, **more: Any) -> Make:
    return lambda folder: test_ingest.table_of(folder, found, **more)


def with_text(text: str) -> Make:
    return received(test_ingest.mutated(text=text))


# --- scrub --------------------------------------------------------------------------------------------------------------


def said(text: str, **more: Any) -> Make:
    return lambda folder: test_scrub.unscrubbed(folder, talk(text, participants=test_scrub.CRYSTAL), **more)


def scrubbed(folder: Path, own_names: list[str] | None = None, **section: Any) -> Table:
    """A table that says with which params it was made; what the gate plants is scrubbed with them."""
    before = ingested_table(folder / "ingested", [ingested(talk("hello there"))])
    (part,) = before.manifest.parts
    found = pl.DataFrame({"conversation_id": ["c"], "turn_id": ["t0"]})
    finding = pl.concat([empty(FINDINGS), found], how="diagonal")
    with new_table(folder / "scrubbed", "scrub", "test", given=before) as writer:
        outcome = Outcome(before.read(part).select(list(SCRUBBED)), beside={"findings": finding})
        made = writer.write(part.name, {part.name: part.files["kept"]}, outcome)
        used = SHIPPED.model_copy(update={**section, **({"own_names": own_names} if own_names else {})})
        write_json(writer.folder / PARAMS, used.model_dump(mode="json"))
        writer.publish([made], [writer.folder / PARAMS])
    return Table(folder / "scrubbed")


# --- dedupe -------------------------------------------------------------------------------------------------------------


def unlike(count: int) -> list[dict[str, Any]]:
    return [conversation(number, test_dedupe.words(number)) for number in range(count)]


def crowded(folder: Path) -> Table:
    return test_dedupe.table(folder, unlike(10), [(conversation(20 + n, test_dedupe.words(0)), unlike(1)[0]) for n in range(11)])


# --- generate -----------------------------------------------------------------------------------------------------------


def answered(text: str, fate: str = "answered") -> Make:
    return lambda folder: test_generate.with_answer(folder, text, fate)


def invented(folder: Path) -> Table:
    asked = [conversation(number, f"Where is parcel {number} of mine?", topics=["parcels"]) for number in range(7, 9)]
    generate.run(deduped(folder, asked), folder / "generated", params(folder, provider="fake"), MEANS)
    return Table(folder / "generated")


def unanswered(folder: Path) -> Table:
    """A question whose provider failed, kept as it was."""
    source = Table(deduped(folder, [test_generate.QUESTION]))
    (part,) = source.manifest.parts
    fate = (test_generate.QUESTION["conversation_id"], "t0", "left_open", "provider_error", None)
    asked = pl.DataFrame([fate], schema=ASKED, orient="row")
    with new_table(folder / "generated", "generate", "f", source) as writer:
        outcome = Outcome(source.read(part), beside={"asked": asked})
        writer.publish([writer.write(part.name, {part.name: part.files["kept"]}, outcome)])
    return Table(folder / "generated")


# --- validate -----------------------------------------------------------------------------------------------------------


def judged(*texts: str, **more: Any) -> Make:
    return lambda folder: test_validate.table_of(folder, test_validate.SOUND, conversation(2, *texts), **more)


def dropped_for(reason: str) -> Make:
    return lambda folder: test_validate.table_of(folder, dropped=reason)


def cut_down(folder: Path) -> Table:
    table = test_validate.table_of(folder, test_validate.SOUND)
    long = conversation(1, "Where is my order? " * 40, "It left today.")
    test_validate.table_of(folder / "other", long)
    before = Table(folder / "other/generated")
    inputs = {part.name: part.files["kept"] for part in before.manifest.parts}
    with new_table(folder / "cut", "validate", "x", given=before) as writer:
        writer.publish([writer.write("part-00000", inputs, Outcome(table.scan().collect()))])
    return Table(folder / "cut")


# --- emit ---------------------------------------------------------------------------------------------------------------


def chats(count: int = 40, **more: Any) -> Make:
    return lambda folder: test_emit.chat(folder, count, **more)


def edited(file: str, change: Callable[[list[str]], list[str]]) -> Make:
    def make(folder: Path) -> Table:
        table = test_emit.chat(folder)
        test_emit.edit(table.folder / "openai" / file, change)
        return table

    return make


def without(split: str) -> Make:
    def make(folder: Path) -> Table:
        table = test_emit.chat(folder)
        for path in (table.folder / "openai").glob(f"{split}.*"):
            path.unlink()
        return table

    return make


def without_the_last(folder: Path) -> Table:
    table = test_emit.chat(folder)
    for file in ("train.jsonl", "train.meta.jsonl"):
        test_emit.edit(table.folder / "openai" / file, lambda lines: lines[:-1])
    return table


def of_nobody(lines: list[str]) -> list[str]:
    return [json.dumps({**json.loads(lines[0]), "conversation_id": "nobody"}), *lines[1:]]


def leaking(folder: Path) -> Table:
    table = test_emit.chat(folder)
    for kind in ("", ".meta"):
        first = (table.folder / f"openai/train{kind}.jsonl").read_text("utf-8").splitlines()[0]
        with (table.folder / f"openai/test{kind}.jsonl").open("a", encoding="utf-8") as file:
            file.write(first.replace('"train"', '"test"') + "\n")
    return table


def of_texts(*texts: str, formats: tuple[str, ...] = ("openai",)) -> Make:
    def make(folder: Path) -> Table:
        rows = [conversation(n, f"{n} {texts[0]}", texts[1], tokens=1200) for n in range(40)]
        section = SHIPPED_EMIT.model_copy(update={"formats": list(formats), "max_tokens": dict.fromkeys(formats, 5000)})
        emit.run(a_table(folder / "validated", rows), folder / "chat", section, MEANS)
        for name in formats:
            test_emit.trained_at(1024, folder / "chat" / name)
        return Table(folder / "chat")

    return make


def stranger(folder: Path) -> Table:
    table = test_emit.chat(folder)
    (table.folder / "openai/old.jsonl").write_text("")
    return table


def thinned(folder: Path) -> Table:
    table = test_emit.chat(folder)
    ids = [f"gone-{number}" for number in range(20)]
    gone = pl.DataFrame({"conversation_id": ids, "reason": "bridges_splits", "detail": ""})
    with new_table(folder / "thin", "emit", "x", given=table.previous()) as writer:
        writer.publish([writer.write("part-00000", {"a": "a"}, Outcome(table.scan().collect(), gone))])
    return Table(folder / "thin")


FAULTS: Final[Mapping[tuple[str, str, str], Make]] = {
    ("ingest", "conversations", "least"): received(SOUND[:3]),
    ("ingest", "repeated_ids", "most"): received([*SOUND, SOUND[0]]),
    ("ingest", "unbalanced_rows", "most"): received(rows_read=25),
    ("ingest", "quarantined_share", "most"): received(quarantined=[("a", 1, "bad_time", "at")]),
    ("ingest", "unreadable_files", "most"): received(quarantined=[("a", 0, "unreadable_file", "")] * 2),
    ("ingest", "dropped_share", "most"): received(dropped=[(f"d{number}", "no_messages", "") for number in range(5)]),
    ("ingest", "without_customer_share", "most"): received(AGENTS_ALONE),
    ("ingest", "customer_turn_share", "least"): received(AGENTS_ALONE),
    ("ingest", "implausible_time_share", "most"): received(test_ingest.mutated(sent_at=datetime(2970, 1, 21, tzinfo=UTC))),
    ("ingest", "backward_share", "most"): received(test_ingest.mutated(sent_at=datetime(2001, 1, 21, tzinfo=UTC))),
    ("ingest", "mojibake_share", "most"): with_text("bl\ufffdd"),
    ("ingest", "markup_share", "most"): with_text("<p>Hi</p>"),
    ("ingest", "control_turns", "most"): with_text("a\x00b"),
    ("ingest", "empty_turns", "most"): with_text(" "),
    ("ingest", "sources_without_answers", "most"): received(CUSTOMERS_ALONE),
    ("scrub", "lost", "most"): said("hello", kept=0),
    ("scrub", "known_value_hits", "most"): said("i am crystal"),
    ("scrub", "residual_per_1000_turns", "most"): said("write to joe@acme.io"),
    ("scrub", "secrets", "most"): said("AKIAABCDEFGHIJKLMNOP"),
    ("scrub", "planted_ids_lower", "least"): lambda folder: scrubbed(folder, recognizers=["people"], models=[]),
    ("scrub", "planted_names_lower", "least"): lambda folder: scrubbed(folder, models=[]),
    ("scrub", "planted_gap", "most"): lambda folder: scrubbed(folder, models=[]),
    ("scrub", "turns_with_findings_share", "least"): said("hello"),
    ("scrub", "turns_with_findings_share", "most"): lambda folder: scrubbed(folder, models=[]),
    ("dedupe", "kept", "least"): lambda folder: test_dedupe.table(folder, unlike(3), []),
    ("dedupe", "dropped_share", "most"): crowded,
    ("dedupe", "largest_cluster_share", "most"): crowded,
    ("dedupe", "canned_share", "most"): lambda folder: test_dedupe.table(folder, unlike(12), [], canned=11),
    ("dedupe", "orphans", "most"): lambda folder: test_dedupe.table(
        folder, unlike(12), [(conversation(20, test_dedupe.words(3)), conversation(99, test_dedupe.words(3)))]
    ),
    ("dedupe", "missed_share", "most"): lambda folder: test_dedupe.table(
        folder, [*unlike(18), conversation(18, test_dedupe.words(3) + " !")], []
    ),
    ("dedupe", "unlike_share", "most"): lambda folder: test_dedupe.table(
        folder, unlike(12), [(conversation(21, test_dedupe.words(21)), unlike(5)[4])]
    ),
    ("generate", "synthetic_share", "most"): invented,
    ("generate", "topic_synthetic_share", "most"): invented,
    ("generate", "paraphrase_share", "most"): test_generate.made_up,
    ("generate", "boundary_share", "most"): test_generate.made_up,
    ("generate", "gap_share", "most"): unanswered,
    ("generate", "provider_error_share", "most"): unanswered,
    ("generate", "unanswered_share", "most"): unanswered,
    ("generate", "echo_share", "most"): answered("Where is the blue parcel?"),
    ("generate", "placeholders", "most"): answered("Dear {{name}}, it is at the depot."),
    ("generate", "identifiers", "most"): answered("Write to ann@acme.io about it."),
    ("generate", "unbalanced", "most"): answered("At the depot.", "dropped"),
    ("validate", "kept", "least"): dropped_for("no_answer"),
    ("validate", "kept_share", "least"): dropped_for("no_answer"),
    ("validate", "reasons_without_bound", "most"): dropped_for("new_reason"),
    ("validate", "not_alternating", "most"): judged("Hi"),
    ("validate", "with_misplaced_look_up", "most"): judged("Hi", "agent: Hello.", "tool: late"),
    ("validate", "with_empty_turn", "most"): judged("Hi", " \n"),
    ("validate", "with_placeholder", "most"): judged("Hi", "Dear {{name}}, hello"),
    ("validate", "with_address", "most"): judged("I am ann@acme.io", "Hello."),
    ("validate", "without_tokens", "most"): judged("Hi", "Hello.", tokens=None),
    ("validate", "cut_share", "most"): cut_down,
    ("validate", "characters_per_token", "least"): judged("Hi", "Hello.", tokens=1000),
    ("validate", "characters_per_token", "most"): judged("Hi", "Hello.", tokens=1),
    ("emit", "formats", "least"): chats(0),
    ("emit", "train_rows", "least"): chats(5),
    ("emit", "validation_rows", "least"): without("validation"),
    ("emit", "test_rows", "least"): without("test"),
    ("emit", "train_clusters", "least"): chats(5),
    ("emit", "formats_below_floor", "most"): chats(9),
    ("emit", "largest_file_bytes", "most"): chats(),
    ("emit", "unreadable_lines", "most"): edited("train.jsonl", lambda lines: ["{", *lines[1:]]),
    ("emit", "against_schema", "most"): edited("train.jsonl", lambda lines: ["[]", *lines[1:]]),
    ("emit", "out_of_step", "most"): edited("train.meta.jsonl", lambda lines: lines[1:]),
    ("emit", "files_not_named", "most"): stranger,
    ("emit", "lost_share", "most"): without_the_last,
    ("emit", "untrained_rows", "most"): of_texts("word " * 1100, "Yes.", formats=("trl",)),
    ("emit", "cut_share", "most"): of_texts("Where is it?", "word " * 1100, formats=("trl",)),
    ("emit", "dropped_share", "most"): thinned,
    ("emit", "unknown_conversations", "most"): edited("train.meta.jsonl", of_nobody),
    ("emit", "customers_in_two_splits", "most"): leaking,
    ("emit", "clusters_in_two_splits", "most"): leaking,
    ("emit", "synthetic_outside_train", "most"): chats(synthetic=True),
    ("emit", "similar_share_at_least", "most"): of_texts("Where is my order number one?", "It left today and comes soon."),
}
"""Stage, measure, side of the bound -> a table that lies beyond it. The reasons of validate are added below."""

TIGHTER: Final[Mapping[tuple[str, str], Mapping[str, float]]] = {
    # shipped as 1: with the offline provider most questions may stay open
    ("generate", "gap_share"): {"max_gap_share": 0.5},
    ("generate", "topic_synthetic_share"): {"min_topic_conversations": 1},
    # half a gigabyte takes long to write
    ("emit", "largest_file_bytes"): {"max_file_bytes": 1000},
    # fewer plants take less time; of 4 without a miss the lower bound is 0.47
    **{
        ("scrub", name): {
            "planted_ids_per_kind": 4,
            "planted_names_per_group": 4,
            "min_planted_ids_lower": 0.4,
            "min_planted_names_lower": 0.4,
        }
        for name in ("planted_ids_lower", "planted_names_lower", "planted_gap", "turns_with_findings_share")
    },
}
"""What a fault needs beside the bounds that ship."""


PLACELESS: Final = {
    ("ingest", "conversations", "least"),
    ("scrub", "turns_with_findings_share", "least"),
    ("dedupe", "kept", "least"),
    ("dedupe", "canned_share", "most"),
    # a topic that fewer than five conversations share is not named
    ("generate", "topic_synthetic_share", "most"),
    ("validate", "characters_per_token", "least"),
    ("validate", "characters_per_token", "most"),
    ("emit", "formats", "least"),
    ("emit", "train_clusters", "least"),
    ("emit", "largest_file_bytes", "most"),
}
"""Where no conversation, part or line is to blame, or nobody can tell which."""


def limits() -> list[tuple[str, str, str]]:
    found = []
    for stage in STAGES:
        check = importlib.import_module(f"checks.{stage}")
        for limit in check.expectations(load_section(check.Bounds, f"gates.{stage}", [FILE])):
            found += [(stage, limit.measure, side) for side in ("least", "most") if getattr(limit, side) is not None]
    return found


def fault(stage: str, measure: str, side: str) -> Make | None:
    reason = measure.removeprefix("dropped_").removesuffix("_share")
    if stage == "validate" and measure == f"dropped_{reason}_share":
        return dropped_for(reason)
    return FAULTS.get((stage, measure, side))


@pytest.mark.parametrize(("stage", "measure", "side"), limits())
def test_every_limit_has_a_fault_that_trips_it(tmp_path: Path, stage: str, measure: str, side: str) -> None:
    make = fault(stage, measure, side)
    assert make is not None, f"seed a fault for {measure} of {stage}"
    check = importlib.import_module(f"checks.{stage}")
    shipped = load_section(check.Bounds, f"gates.{stage}", [FILE])
    bounds = check.Bounds(**{**shipped.model_dump(), **TIGHTER.get((stage, measure), {})})
    table = make(tmp_path)
    value = check.measure(table, bounds).row(0, named=True)[measure]
    (limit,) = [each for each in check.expectations(bounds) if each.measure == measure and getattr(each, side) is not None]

    assert value is None or (value < limit.least if side == "least" else value > limit.most)
    assert limit.meaning
    assert any(check.where(table, measure, bounds)) is ((stage, measure, side) not in PLACELESS)


def test_no_fault_is_of_a_limit_that_is_gone() -> None:
    assert set(FAULTS) - set(limits()) == set()
