"""Conversations that nobody had: off by default, with their own line in the ledger, for training alone, paid once."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipeline.boundaries import KINDS, load_boundary
from pipeline.errors import AccountingError, BudgetReached, ParamsError
from pipeline.generate import estimate, run
from pipeline.ledger import balance, prove
from pipeline.params import load_section
from pipeline.schema import ADDED, ASKED, REJECTED, empty
from pipeline.stage import Outcome
from pipeline.tables import Manifest, Table, new_table
from pipeline.trace import trace
from pipeline.validate import ValidateParams, validate
from pipeline.writing.splits import SplitParams, assign_splits
from tests.build import KEY, MEANS, conversation
from tests.llm_server import Answer, LlmServer, Received, Script, always
from tests.pipeline.generate_tables import SHIPPED, deduped, params

RARE = conversation(1, "Is there a lift at platform 12 of the old station?", "Yes, beside the stairs.", topics=["stairs"])
COMMON = [
    conversation(10 + n, f"Where is parcel {'abcde'[n]} now?", "It waits at the depot.", topics=["parcel"]) for n in range(5)
]
BOT = conversation(2, "May I bring my dog?", "bot: See our rules.", topics=["dogs"])
OPEN = conversation(3, "When do you open on Sunday?", topics=["hours"], language="en")
NO_TOPIC = conversation(4, "Do you sell umbrellas?", "We do.")
OTHER_WORDS = "The old station: does platform 12 have an elevator?"


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICKETMILL_TEST_KEY", "none")


def ask(server: LlmServer, folder: Path, rows: Any = (RARE, *COMMON), **settings: Any) -> Manifest:
    endpoint = {"openai__base_url": server.base_url, "openai__key_variable": "TICKETMILL_TEST_KEY"}
    shares = {"paraphrases__max_share": 0.5, "paraphrases__max_topic_conversations": 3}
    chosen = params(folder, **{"provider": "openai", **endpoint, **shares, **settings})
    return run(deduped(folder, rows), folder / "generated", chosen, MEANS)


def kept(folder: Path) -> dict[str, dict[str, Any]]:
    rows = Table(folder / "generated").scan().collect().rows(named=True)
    return {row["conversation_id"]: row for row in rows}


def rewriting(text: str = OTHER_WORDS) -> Script:
    return always(Answer(text))


def test_nothing_is_made_up_unless_params_say_so(tmp_path: Path) -> None:
    with LlmServer() as server:
        manifest = ask(server, tmp_path, paraphrases__max_share=0)

    assert server.received == []
    assert (manifest.total("kept"), manifest.total("added"), len(manifest.parts)) == (6, 0, 1)


def test_a_question_of_a_rare_topic_is_put_into_other_words_under_the_answer_a_person_gave(tmp_path: Path) -> None:
    with LlmServer(rewriting(), model="tiny-2026") as server:
        ask(server, tmp_path)

    [received] = server.received
    assert received.body["messages"][-1]["content"] == RARE["turns"][0]["text"]
    new = kept(tmp_path)[f"{RARE['conversation_id']}-paraphrase"]
    assert [(turn["speaker"], turn["text"], turn["origin"]) for turn in new["turns"]] == [
        ("customer", OTHER_WORDS, "paraphrase"),
        ("agent", "Yes, beside the stairs.", "human"),
    ]
    assert (new["turns"][0]["generation"]["model"], new["turns"][0]["generation"]["grounding"]) == (
        "tiny-2026",
        [{"id": RARE["conversation_id"], "score": 1.0}],
    )
    assert (new["customer_key"], new["cluster_id"]) == (RARE["customer_key"], RARE["conversation_id"])


def test_questions_of_common_topics_without_topics_without_answer_and_answered_by_bots_are_left_alone(tmp_path: Path) -> None:
    with LlmServer(rewriting()) as server:
        ask(server, tmp_path, [*COMMON, BOT, NO_TOPIC, OPEN])

    assert [received.body["messages"][-1]["content"] for received in server.received] == [OPEN["turns"][0]["text"]]
    assert not [name for name in kept(tmp_path) if name.endswith("-paraphrase")]


def test_the_rarest_come_first_wherever_they_stand_in_the_table(tmp_path: Path) -> None:
    twice = [conversation(20 + n, f"Do you repair kettle {'ab'[n]}?", "Yes, we do.", topics=["kettle"]) for n in range(2)]
    with LlmServer(rewriting()) as server:
        ask(server, tmp_path, [*twice, *COMMON, RARE], paraphrases__max_share=0.13)

    assert [received.body["messages"][-1]["content"] for received in server.received] == [RARE["turns"][0]["text"]]


def test_the_ledger_has_a_line_for_what_was_added_and_balances(tmp_path: Path) -> None:
    def script(received: Received) -> Answer:
        is_paraphrase = "You rewrite questions" in received.body["messages"][0]["content"]
        return Answer(OTHER_WORDS if is_paraphrase else "Let us see what we can do about it.")

    with LlmServer(script) as server:
        ask(server, tmp_path, boundaries__max_share=0.5)
    entries = balance(Table(tmp_path / "generated"))

    prove(entries)
    assert (entries[-1].given, entries[-1].added, entries[-1].kept) == (6, {"boundary": 3, "paraphrase": 1}, 10)
    [step] = trace(f"{RARE['conversation_id']}-paraphrase", Table(tmp_path / "generated"))
    assert "added: 1 x paraphrase" in step.details


def test_what_is_made_up_and_not_said_to_be_does_not_balance() -> None:
    rows = pl.DataFrame({"conversation_id": ["a", "b"]})
    more = pl.DataFrame([("b", "paraphrase", "a")], schema=ADDED, orient="row")
    one = rows["conversation_id"].head(1)

    Outcome(rows, added=more).account_for(one, "here")
    with pytest.raises(AccountingError, match="1 conversations invented, such as b"):
        Outcome(rows).account_for(one, "here")
    with pytest.raises(AccountingError, match="1 conversations added twice, such as b"):
        Outcome(rows, added=more).account_for(rows["conversation_id"], "here")
    with pytest.raises(AccountingError, match="1 conversations lost, such as b"):
        Outcome(rows.head(1), added=more).account_for(one, "here")
    with pytest.raises(AccountingError, match="was added without a reason"):
        Outcome(rows, added=more.with_columns(reason=pl.lit(""))).account_for(one, "here")


@pytest.mark.parametrize(
    ("added", "unbalanced"), [(["x"], 0), ([], 1), (["x", "y"], 1), (["x", "desk-0000000000000001"], 1)], ids=str
)
def test_the_ledger_counts_ids_and_not_what_the_stage_says(tmp_path: Path, added: list[str], unbalanced: int) -> None:
    source = Table(deduped(tmp_path, [RARE]))
    given = source.read(source.manifest.parts[0])
    made_up = given.with_columns(conversation_id=pl.lit("x"))
    said = pl.DataFrame([(name, "boundary", "") for name in added], schema=ADDED, orient="row")
    beside = {"asked": empty(ASKED), "rejected": empty(REJECTED)}
    with new_table(tmp_path / "generated", "generate", "f", source) as writer:
        parts = [
            writer.write("part-00000", {"a": "b"}, Outcome(given, beside=beside)),
            writer.write("part-00001", {"a": "c"}, Outcome(made_up, added=said, beside=beside)),
        ]
        writer.publish(parts)

    assert balance(Table(tmp_path / "generated"))[-1].balance == unbalanced


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Is there an elevator anywhere at the old station?", "lost_specific"),
        ("Does platform 12 or 14 have an elevator?", "unsupported_specific"),
        (RARE["turns"][0]["text"], "echo"),
        ("Gibt es am alten Bahnhof an Gleis 12 einen Aufzug oder muss ich die Treppe nehmen?", "other_language"),
    ],
)
def test_other_words_that_are_no_paraphrase_are_rejected_counted_and_kept_for_review(
    tmp_path: Path, text: str, reason: str
) -> None:
    with LlmServer(rewriting(text)) as server:
        manifest = ask(server, tmp_path)

    assert (manifest.total("added"), manifest.counts) == (0, {f"not_added_{reason}": 1})
    rejected = pl.concat([Table(tmp_path / "generated").read(part, "rejected") for part in manifest.parts])
    assert rejected.select("reason", "text").rows() == [(reason, text)]


def test_messages_to_turn_away_come_from_every_kind_in_turn_and_get_a_reply_of_the_model(tmp_path: Path) -> None:
    rows = [conversation(100 + number, f"Is shop {number} open?", "It is.") for number in range(12)]
    with LlmServer(
        lambda received: Answer(f"Let us see what we can do about it. {len(received.raw) % 7}".rstrip("0123456789 "))
    ) as server:
        ask(server, tmp_path, rows, paraphrases__max_share=0, boundaries__max_share=0.5)

    new = [row for row in kept(tmp_path).values() if row["source"] == "boundary"]
    assert sorted(row["source_file"] for row in new) == sorted([*(f"{kind}.txt" for kind in KINDS), "off_topic.txt"])
    for row in new:
        customer, agent = row["turns"]
        assert customer["text"] == load_boundary(row["source_file"].removesuffix(".txt")).messages[row["source_row"] - 1]
        assert (customer["origin"], customer["generation"]) == ("boundary", None)
        assert (agent["origin"], agent["text"]) == ("boundary", "Let us see what we can do about it.")
    hows = {received.body["messages"][0]["content"] for received in server.received}
    assert len(hows) == len(KINDS)


@pytest.mark.parametrize("by", ["hash", "quota", "topic", "time"])
def test_what_is_made_up_stands_in_no_validation_or_test_split_and_moves_nothing_there(tmp_path: Path, by: Any) -> None:
    rows = [conversation(n, f"Is there a lift in house {'abcdefghij'[n]}?", "Yes.", topics=[f"t{n}"]) for n in range(10)]

    def script(received: Received) -> Answer:
        return Answer(f"House {received.body['messages'][-1]['content'].split()[-1][:-1]}, has it an elevator?")

    with LlmServer(script) as server:
        ask(server, tmp_path, rows, paraphrases__max_share=1, boundaries__max_share=1)
    judged = validate(
        Table(tmp_path / "generated").scan().collect(), load_section(ValidateParams, "validate", [SHIPPED])
    ).kept.with_columns(only_train="synthetic")
    half = SplitParams(train=0.4, validation=0.3, test=0.3, by=by)
    splits = dict(assign_splits(judged, half, KEY).rows())

    made_up = judged.filter("synthetic")["conversation_id"].to_list()
    assert len([name for name in made_up if name.endswith("-paraphrase")]) == 10
    assert len(made_up) > 10
    assert {splits[name] for name in made_up} <= {"train", None}
    if by != "time":  # which moves whole clusters
        before = judged.filter(~pl.col("synthetic"))
        assert dict(assign_splits(before, half, KEY).rows()).items() <= splits.items()


def test_a_second_run_asks_nothing_and_gives_the_same_bytes(tmp_path: Path) -> None:
    with LlmServer(rewriting()) as server:
        first = ask(server, tmp_path, boundaries__max_share=0.5)
        sent = len(server.received)
        for path in (tmp_path / "generated").rglob("*"):
            if path.is_file():
                path.unlink()
        second = ask(server, tmp_path, boundaries__max_share=0.5)

    assert (len(server.received), second) == (sent, first)


def test_a_cap_holds_for_what_is_made_up_too(tmp_path: Path) -> None:
    with LlmServer(rewriting()) as server, pytest.raises(BudgetReached):
        ask(server, tmp_path, boundaries__max_share=0.5, budget__max_requests=2)

    assert len(server.received) == 2


def test_the_estimate_counts_what_would_be_made_up_and_sends_nothing(tmp_path: Path) -> None:
    chosen = params(tmp_path, provider="fake", paraphrases__max_share=0.5, paraphrases__max_topic_conversations=3)

    assert estimate(deduped(tmp_path, [RARE, *COMMON]), chosen).requests == 1


@pytest.mark.parametrize("kind", ["paraphrases", "boundaries"])
def test_who_asks_no_model_makes_nothing_up(tmp_path: Path, kind: str) -> None:
    with pytest.raises(ParamsError, match="need a provider that asks a model: openai, fake"):
        params(tmp_path, provider="nearest", **{f"{kind}__max_share": 0.1})


def test_every_kind_on_the_shelf_has_its_instruction_and_enough_messages() -> None:
    for kind in KINDS:
        shelf = load_boundary(kind)
        assert shelf.how.endswith(".")
        assert len(set(shelf.messages)) >= 8
