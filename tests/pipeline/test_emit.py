"""What emit writes: rows, splits, provenance, shards."""

import json
import subprocess
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any

import mlcroissant
import polars as pl
import pytest
import yaml
from pydantic import ValidationError

from pipeline.emit import EmitParams, emit, run
from pipeline.errors import ParamsError
from pipeline.formats import FORMATS
from pipeline.params import load_section
from pipeline.parts import Means
from pipeline.schema import CHAT, GENERATED, REJECTED, VALIDATED, empty
from pipeline.stage import Outcome
from pipeline.tables import Table, new_table
from pipeline.writing.training_file import Asked, check_file
from tests.build import KEY, MEANS, conversation, conversations, turn

PARAMS = EmitParams.model_validate(
    {
        "formats": ["openai"],
        "system": None,
        "system_by_product": {},
        "train_bots": True,
        "look_ups": "fold",
        "knowledge": {"folder": None, "allow": [], "max_passage_words": 50, "max_hits": 1, "min_relevance": 0.3},
        "liked_csat": 0.75,
        "max_file_bytes": 1_000_000,
        "max_tokens": {},
        "spare_tokens_share": 0.2,
        "encoding": "o200k_base",
        "card": {
            "name": "Chats",
            "description": "Invented.",
            "license": "cc0-1.0",
            "url": None,
            "limits": ["Small."],
            "pii_metrics": None,
        },
        "splits": {"train": 0.6, "validation": 0.2, "test": 0.2, "by": "hash"},
    }
)


def params(**more: Any) -> EmitParams:
    return EmitParams.model_validate({**PARAMS.model_dump(), **more})


def validated(*rows: dict[str, Any]) -> pl.DataFrame:
    blank = {"tokens": 20, "synthetic": False, "edits": [], "flags": []}
    return conversations([{"cluster_id": row["conversation_id"], **blank, **row} for row in rows], VALIDATED)


def emitted(*rows: dict[str, Any], split: str | None = "train", by: EmitParams = PARAMS) -> Outcome:
    return emit(validated(*rows), pl.Series([split] * len(rows), dtype=pl.String), by)


def lines(outcome: Outcome, column: str = "row", name: str = "openai") -> list[Any]:
    return [json.loads(line) for line in outcome.beside[f"lines_{name}"][column]]


def a_table(folder: Path, rows: Iterable[dict[str, Any]], rows_per_part: int = 10) -> Path:
    frame = validated(*rows)
    with new_table(folder, "validate", "x", given=None) as writer:
        pieces = list(frame.iter_slices(rows_per_part))
        writer.publish([writer.write(f"part-{n:05d}", {str(n): str(n)}, Outcome(piece)) for n, piece in enumerate(pieces)])
    return folder


HOW = {"provider": "nearest", "model": "tfidf", "prompt_version": "1", "grounding": [{"id": "desk-1", "score": 0.9}]}
SYNTHETIC = [turn("customer", "Where is it?", 0), turn("agent", "It left.", 1, origin="synthetic", generation=HOW)]


def test_a_conversation_is_one_row_of_roles_and_contents() -> None:
    outcome = emitted(conversation(1, "Where is it?", "It left today."))

    said = [{"role": "user", "content": "Where is it?"}, {"role": "assistant", "content": "It left today."}]
    assert lines(outcome) == [{"messages": said}]
    assert dict(outcome.kept.schema) == dict(CHAT)
    assert outcome.kept.drop("language", "opened_at").row(0) == (
        "desk-0000000000000001",
        "desk-0000000000000001",
        "train",
        False,
        20,
        ["openai"],
    )
    assert outcome.counts == {"openai_train_rows": 1}


def test_the_system_text_of_the_product_stands_first_and_its_tokens_are_counted() -> None:
    by = params(system="Be kind.", system_by_product={"shoes": "Sell shoes kindly."})

    outcome = emitted(conversation(1, "Hi", "Hello."), conversation(2, "Hi", "Hello.", product="shoes"), by=by)

    assert [row["messages"][0] for row in lines(outcome)] == [
        {"role": "system", "content": "Be kind."},
        {"role": "system", "content": "Sell shoes kindly."},
    ]
    assert outcome.kept["tokens"].to_list() == [20 + 4 + 3, 20 + 4 + 4]


def test_provenance_stands_in_the_side_line_and_never_in_the_row() -> None:
    outcome = emitted(conversation(1, turns=SYNTHETIC, synthetic=True, edits=["empty_turn"], flags=["too_short"]))

    assert list(lines(outcome)[0]) == ["messages"]
    assert lines(outcome, "meta") == [
        {
            "conversation_id": "desk-0000000000000001",
            "split": "train",
            "cluster_id": "desk-0000000000000001",
            "trains": None,
            "left_out": [],
            "synthetic": True,
            "edits": ["empty_turn"],
            "flags": ["too_short"],
            "turns": ["t0", "t1"],
            "speakers": ["customer", "agent"],
            "origins": ["human", "synthetic"],
            "generation": {"t1": HOW},
            "knowledge": [],
        }
    ]


def test_answers_of_bots_have_weight_0_when_they_should_not_be_learnt() -> None:
    outcome = emitted(conversation(1, "Hi", "bot: Hello.", "A human!", "agent: Here."), by=params(train_bots=False))

    assert [message.get("weight") for message in lines(outcome)[0]["messages"]] == [None, 0, None, None]


def test_a_conversation_that_bridges_two_splits_is_dropped_for_that() -> None:
    outcome = emitted(conversation(1, "Hi", "Hello."), split=None)

    assert outcome.dropped["reason"].to_list() == ["bridges_splits"]


def test_a_conversation_that_no_format_can_hold_is_dropped_by_its_fault_and_counted() -> None:
    outcome = emitted(conversation(1, "Hi", "bot: Hello."), by=params(train_bots=False))

    assert outcome.dropped.row(0) == ("desk-0000000000000001", "nothing_trained", "openai")
    assert outcome.counts == {"openai_lost_nothing_trained": 1}


def test_files_hold_every_kept_conversation_once_and_the_side_file_keeps_step(tmp_path: Path) -> None:
    source = a_table(tmp_path / "validated", [conversation(n, "Hi", f"Hello {n}.") for n in range(40)])

    run(source, tmp_path / "chat", PARAMS, MEANS)

    kept = pl.concat([Table(tmp_path / "chat").read(part) for part in Table(tmp_path / "chat").manifest.parts])
    for split in ("train", "validation", "test"):
        rows = read(tmp_path / "chat/openai" / f"{split}.jsonl")
        metas = read(tmp_path / "chat/openai" / f"{split}.meta.jsonl")
        ids = kept.filter(split=split)["conversation_id"].to_list()
        assert [meta["conversation_id"] for meta in metas] == ids
        assert [row["messages"][1]["content"] for row in rows] == [f"Hello {int(name[-16:], 16)}." for name in ids]
    assert kept.height == 40


def read(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []


def test_a_synthetic_answer_is_only_ever_trained_on(tmp_path: Path) -> None:
    rows = [conversation(n, turns=SYNTHETIC, synthetic=True) for n in range(30)]

    run(a_table(tmp_path / "validated", rows), tmp_path / "chat", PARAMS, MEANS)

    assert [path.name for path in sorted((tmp_path / "chat/openai").glob("*.jsonl"))] == ["train.jsonl", "train.meta.jsonl"]


def test_the_bytes_are_the_same_for_two_workers_and_after_making_a_part_anew(tmp_path: Path) -> None:
    source = a_table(tmp_path / "validated", [conversation(n, "Hi", f"Hello {n}.") for n in range(35)])

    one = run(source, tmp_path / "one", PARAMS, MEANS)
    two = run(source, tmp_path / "two", PARAMS, Means(key=KEY, workers=2))
    (tmp_path / "two/kept/part-00001.parquet").unlink()
    again = run(source, tmp_path / "two", PARAMS, MEANS)

    assert one == two == again
    assert len(one.extras) == 9


def test_adding_conversations_leaves_every_old_row_in_its_split_and_reuses_its_part(tmp_path: Path) -> None:
    rows = [conversation(n, "Hi", f"Hello {n}.") for n in range(40)]
    before = run(a_table(tmp_path / "a", rows[:20]), tmp_path / "chat", PARAMS, MEANS)

    after = run(a_table(tmp_path / "b", rows), tmp_path / "chat", PARAMS, MEANS)

    assert [part.files for part in after.parts[:2]] == [part.files for part in before.parts]


def test_a_part_whose_conversations_moved_to_another_split_is_made_anew(tmp_path: Path) -> None:
    by_time = params(splits={"train": 0.6, "validation": 0.2, "test": 0.2, "by": "time"})
    rows = [conversation(n, "Hi", f"Hello {n}.") for n in range(40)]
    run(a_table(tmp_path / "a", rows[:20]), tmp_path / "chat", by_time, MEANS)

    grown = run(a_table(tmp_path / "b", rows), tmp_path / "chat", by_time, MEANS)
    fresh = run(tmp_path / "b", tmp_path / "fresh", by_time, MEANS)

    assert grown == fresh


def test_a_file_over_the_limit_is_written_in_shards_that_hold_all_lines_in_order(tmp_path: Path) -> None:
    source = a_table(tmp_path / "validated", [conversation(n, "Hi", f"Hello {n}." + " Well." * 2000) for n in range(40)])

    run(source, tmp_path / "whole", PARAMS, MEANS)
    run(source, tmp_path / "parted", params(max_file_bytes=100_000), MEANS)

    shards = sorted(path for path in (tmp_path / "parted/openai").glob("train-*-of-*.jsonl") if "meta" not in path.name)
    sides = sorted((tmp_path / "parted/openai").glob("train-*.meta.jsonl"))
    assert len(shards) > 2
    assert all(path.stat().st_size <= 100_000 for path in shards)
    assert b"".join(path.read_bytes() for path in shards) == (tmp_path / "whole/openai/train.jsonl").read_bytes()
    assert [len(read(path)) for path in sides] == [len(read(path)) for path in shards]


def test_a_limit_that_would_give_a_file_per_conversation_is_refused() -> None:
    with pytest.raises(ValidationError, match="max_file_bytes"):
        params(max_file_bytes=1)


def test_a_table_without_conversations_makes_a_table_without_files(tmp_path: Path) -> None:
    assert run(a_table(tmp_path / "validated", []), tmp_path / "chat", PARAMS, MEANS).extras == {}


@pytest.mark.parametrize(
    ("formats", "message"),
    [
        ("[opnai]", "no format 'opnai'; there are openai"),
        ("[]", "name at least one format"),
        ("[openai, openai]", "none twice"),
    ],
)
def test_formats_that_do_not_exist_or_stand_twice_are_refused(tmp_path: Path, formats: str, message: str) -> None:
    file = tmp_path / "params.yaml"
    file.write_text(json.dumps({"emit": PARAMS.model_dump()}))

    with pytest.raises(ParamsError) as raised:
        load_section(EmitParams, "emit", [file], [f"emit.formats={formats}"])

    assert message in str(raised.value)


def test_the_card_states_what_was_counted_and_the_publishers_words(tmp_path: Path) -> None:
    rows = [conversation(n, "Hi", f"Hello {n}.", language="en" if n % 2 else "de") for n in range(30)]
    rows += [conversation(30 + n, turns=SYNTHETIC, synthetic=True) for n in range(10)]
    run(a_table(tmp_path / "validated", rows), tmp_path / "chat", PARAMS, MEANS)

    card = (tmp_path / "chat/openai/README.md").read_text("utf-8")
    header = yaml.safe_load(card.split("---")[1])

    assert (header["license"], header["language"], header["size_categories"]) == ("cc0-1.0", ["de", "en"], ["n<1K"])
    assert header["configs"][0]["data_files"][0] == {"split": "train", "path": ["train.jsonl"]}
    assert "Synthetic: 10 of 40 conversations (25.0 %)" in card
    assert "Collected: 2026-01-05 to 2026-02-13." in card
    assert "- Small." in card
    assert "was not measured for this set" in card


def test_the_card_states_the_measures_of_the_gate_after_scrub(tmp_path: Path) -> None:
    report = tmp_path / "scrub.json"
    report.write_text(json.dumps({"passed": 1, "recall": 0.9731, "hits": 0}))
    card = {**PARAMS.card.model_dump(), "pii_metrics": str(report)}

    run(
        a_table(tmp_path / "validated", [conversation(n, "Hi", "Hello.") for n in range(9)]),
        tmp_path / "chat",
        params(card=card),
        MEANS,
    )

    assert "| hits | 0 |\n| recall | 0.9731 |" in (tmp_path / "chat/openai/README.md").read_text("utf-8")


def test_metrics_that_are_none_are_refused(tmp_path: Path) -> None:
    (tmp_path / "scrub.json").write_text("[]")
    card = {**PARAMS.card.model_dump(), "pii_metrics": str(tmp_path / "scrub.json")}

    with pytest.raises(ParamsError, match=r"scrub.json: holds no metrics of a gate; correct emit.card.pii_metrics"):
        run(a_table(tmp_path / "validated", [conversation(1, "Hi", "Hello.")]), tmp_path / "chat", params(card=card), MEANS)


def test_the_manifest_names_every_file_by_its_hash_and_what_it_was_made_from(tmp_path: Path) -> None:
    source = a_table(tmp_path / "validated", [conversation(n, "Hi", f"Hello {n}.") for n in range(40)])
    run(source, tmp_path / "chat", PARAMS, MEANS)

    manifest = json.loads((tmp_path / "chat/openai/manifest.json").read_text("utf-8"))

    for files in manifest["files"].values():
        for file in files:
            assert file["sha256"] == sha256((tmp_path / "chat/openai" / file["name"]).read_bytes()).hexdigest()
    assert sum(manifest["rows"].values()) == 40
    assert manifest["given"] == Table(source).checksum


def test_what_dvc_recorded_of_the_nights_before_is_in_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    source = a_table(tmp_path / "validated", [conversation(n, "Hi", f"Hello {n}.") for n in range(9)])
    first = run(source, tmp_path / "chat", PARAMS, MEANS)
    Path("dvc.lock").write_text("stages: {readiness: {outs: [{path: report.json, md5: of-the-night-before}]}}\n", "utf-8")

    assert run(source, tmp_path / "again", PARAMS, MEANS).extras == first.extras


def test_in_a_repository_without_a_commit_the_manifest_names_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    subprocess.run(["git", "init", "--quiet"], check=True)
    run(a_table(tmp_path / "validated", [conversation(n, "Hi", "Hello.") for n in range(9)]), tmp_path / "chat", PARAMS, MEANS)

    assert json.loads((tmp_path / "chat/openai/manifest.json").read_text("utf-8"))["git_commit"] is None


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")  # of rdflib, beneath mlcroissant
def test_croissants_own_library_reads_the_description(tmp_path: Path) -> None:
    run(
        a_table(tmp_path / "validated", [conversation(n, "Hi", f"Hello {n}.") for n in range(9)]),
        tmp_path / "chat",
        PARAMS,
        MEANS,
    )

    dataset = mlcroissant.Dataset(jsonld=str(tmp_path / "chat/openai/croissant.json"))

    for file in dataset.metadata.distribution:
        assert file.sha256 == sha256((tmp_path / "chat/openai" / file.content_url).read_bytes()).hexdigest()
    assert "train.jsonl" in {file.name for file in dataset.metadata.distribution}


def test_a_format_that_trains_on_ratings_holds_rated_conversations_only() -> None:
    rated = {"resolved": None, "csat": 0.9, "reopened": None}

    outcome = emitted(
        conversation(1, "Hi", "Hello.", outcome=rated), conversation(2, "Hi", "Hello."), by=params(formats=["kto", "openai"])
    )

    assert [row["label"] for row in lines(outcome, name="kto")] == [True]
    assert outcome.kept["formats"].to_list() == [["kto", "openai"], ["openai"]]
    assert outcome.counts["kto_unrated"] == 1


def with_rejected(folder: Path, rows: list[dict[str, Any]], rejected: dict[str, list[str]]) -> Path:
    """A validated table whose last turns generate accepted after it had rejected these."""
    answered = [{**row, "turns": [*row["turns"][:-1], {**row["turns"][-1], "turn_id": "a4"}]} for row in rows]
    texts = [(name, "t3", "too_short", text) for name, many in rejected.items() for text in many]
    beside = {"rejected": pl.DataFrame(texts, schema=dict(REJECTED), orient="row")}
    with new_table(folder / "generated", "generate", "x", given=None) as writer:
        writer.publish([writer.write("part-00000", {"a": "a"}, Outcome(empty(GENERATED), beside=beside))])
    with new_table(folder / "validated", "validate", "x", given=Table(folder / "generated")) as writer:
        writer.publish([writer.write("part-00000", {"a": "b"}, Outcome(validated(*answered)))])
    return folder / "validated"


def test_an_accepted_answer_is_preferred_to_those_that_were_rejected_for_it(tmp_path: Path) -> None:
    rows = [conversation(1, "Where is it?", "It left."), conversation(2, "Hi", "Hello.")]
    unsafe = ["Call 212-867-5309.", "my password: hunter22", " "]
    source = with_rejected(tmp_path, rows, {rows[0]["conversation_id"]: ["Dunno.", "Dunno.", "It left.", *unsafe]})
    every = {"train": 1.0, "validation": 0.0, "test": 0.0, "by": "hash"}

    run(source, tmp_path / "chat", params(formats=["openai_dpo", "trl_dpo", "openai"], splits=every), MEANS)

    assert read(tmp_path / "chat/openai_dpo/train.jsonl") == [
        {
            "input": {"messages": [{"role": "user", "content": "Where is it?"}]},
            "preferred_output": [{"role": "assistant", "content": "It left."}],
            "non_preferred_output": [{"role": "assistant", "content": "Dunno."}],
        }
    ]
    assert len(read(tmp_path / "chat/trl_dpo/train.jsonl")) == 1
    assert Table(tmp_path / "chat").manifest.counts["trl_dpo_unpaired"] == 1


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_written_and_found_sound_by_the_file_checker(tmp_path: Path, name: str) -> None:
    rated = {"resolved": None, "csat": 0.9, "reopened": None}
    rows = [conversation(n, "Hi", f"Hello {n}. User: x", "Thanks!", "Bye.", outcome=rated) for n in range(40)]

    source = with_rejected(tmp_path, rows, {row["conversation_id"]: ["No.", "Hello."] for row in rows})
    run(source, tmp_path / "chat", params(formats=[name], system="Be kind."), MEANS)
    folder = tmp_path / "chat" / name

    (file,) = [*folder.glob("train.jsonl"), *folder.glob("train.parquet")]
    report = check_file(file, Asked(name))
    assert (report.is_sound, report.counts) == (True, {})
    assert report.rows == len(read(folder / "train.meta.jsonl"))


ASKED = {"name": "order_status", "arguments": [{"name": "order", "value": "4411"}, {"name": "shop", "value": "é"}]}
LOOKED_UP = [
    turn("customer", "Where is it?", 0),
    turn("tool", "left the depot", 1, call=ASKED),
    turn("tool", "comes on Friday", 2, call={"name": "delivery_day", "arguments": []}),
    turn("agent", "It comes on Friday.", 3),
]


def test_look_ups_are_calls_and_results_with_stable_ids_and_the_functions_are_declared() -> None:
    (row,) = lines(emitted(conversation(1, turns=LOOKED_UP)))

    user, call, result, second, other, answer = row["messages"]
    assert (user["role"], answer["content"]) == ("user", "It comes on Friday.")
    assert call["tool_calls"][0]["function"] == {"name": "order_status", "arguments": '{"order":"4411","shop":"é"}'}
    assert call["tool_calls"][0]["id"] == result["tool_call_id"]
    assert (result["role"], result["content"], other["content"]) == ("tool", "left the depot", "comes on Friday")
    assert second["tool_calls"][0]["id"] == other["tool_call_id"] != result["tool_call_id"]
    assert [tool["function"]["name"] for tool in row["tools"]] == ["delivery_day", "order_status"]
    assert list(row["tools"][1]["function"]["parameters"]["properties"]) == ["order", "shop"]


def test_every_target_writes_look_ups_in_its_own_way_and_faults_none() -> None:
    written = [name for name, format_ in FORMATS.items() if format_.needs is None]
    outcome = emitted(conversation(1, turns=LOOKED_UP), by=params(formats=written, system="Be kind."))

    assert outcome.kept["formats"].to_list() == [written]
    for name in written:
        text = outcome.beside[f"lines_{name}"]["row"][0]
        assert ("function" in text) == FORMATS[name].tools, name
        assert "left the depot" in text
        assert "4411" in text


def test_mistral_has_no_content_beside_calls_and_trl_has_arguments_as_an_object() -> None:
    outcome = emitted(conversation(1, turns=LOOKED_UP), by=params(formats=["mistral", "trl"]))

    call = lines(outcome, name="mistral")[0]["messages"][1]
    assert set(call) == {"role", "tool_calls"}
    assert len(call["tool_calls"][0]["id"]) == 9
    assert lines(outcome, name="trl")[0]["messages"][1]["tool_calls"][0]["function"]["arguments"] == {
        "order": "4411",
        "shop": "é",
    }


def test_a_target_without_tools_gets_what_was_looked_up_below_the_question_or_not_at_all() -> None:
    def asked(policy: str) -> str:
        outcome = emitted(conversation(1, turns=LOOKED_UP), by=params(formats=["together"], look_ups=policy))
        return str(lines(outcome, name="together")[0]["messages"][0]["content"])

    assert asked("drop") == "Where is it?"
    assert asked("fold") == (
        "Where is it?\n\n[order_status(order: 4411, shop: é)]\nleft the depot\n\n[delivery_day()]\ncomes on Friday"
    )


def test_the_calls_of_an_answer_that_is_not_learnt_are_not_learnt_either() -> None:
    turns = [*LOOKED_UP[:3], turn("bot", "I am a bot.", 3), turn("customer", "Oh.", 4), turn("agent", "Hello.", 5)]
    (row,) = lines(emitted(conversation(1, turns=turns), by=params(train_bots=False)))

    assert [message.get("weight") for message in row["messages"] if message["role"] == "assistant"] == [0, 0, 0, None]


def test_the_side_line_names_look_ups_too() -> None:
    (meta,) = lines(emitted(conversation(1, turns=LOOKED_UP)), "meta")

    assert meta["turns"] == ["t0", "t1", "t2", "t3"]
    assert meta["speakers"] == ["customer", "tool", "tool", "agent"]


def test_the_passage_that_answers_the_question_stands_below_the_system_text_and_the_side_line_names_it(tmp_path: Path) -> None:
    folder = tmp_path / "knowledge"
    folder.mkdir()
    (folder / "returns.md").write_text("# Returns\nReturn parcels are free for 30 days.\n# Tents\nTents are green.\n")
    section = {**PARAMS.knowledge.model_dump(), "folder": folder}
    by = params(system="Be kind.", knowledge=section, splits={"train": 1.0, "validation": 0.0, "test": 0.0, "by": "hash"})
    rows = [conversation(1, "Are return parcels free?", "Yes."), conversation(2, "Who are you?", "A clerk.")]

    run(a_table(tmp_path / "validated", rows), tmp_path / "chat", by, MEANS)

    told = [row["messages"][0]["content"] for row in read(tmp_path / "chat/openai/train.jsonl")]
    assert told == ["Be kind.\n\nReturns\nReturn parcels are free for 30 days.", "Be kind."]
    named = [meta["knowledge"] for meta in read(tmp_path / "chat/openai/train.meta.jsonl")]
    assert named == [["kb/returns.md#0"], []]


def test_another_text_of_a_passage_makes_the_part_anew(tmp_path: Path) -> None:
    folder = tmp_path / "knowledge"
    folder.mkdir()
    by = params(knowledge={**PARAMS.knowledge.model_dump(), "folder": folder})
    source = a_table(tmp_path / "validated", [conversation(1, "Are return parcels free?", "Yes.")])
    for text in ("Return parcels are free.", "Return parcels cost nothing."):
        (folder / "returns.txt").write_text(text)
        run(source, tmp_path / "chat", by, MEANS)

    (part,) = Table(tmp_path / "chat").manifest.parts
    assert "cost nothing" in Table(tmp_path / "chat").read(part, "lines_openai")["row"][0]


LONG = [text for number in range(8) for text in (f"Question {number}? " + "word " * 30, f"Answer {number}.")]
"""Eight exchanges of about 45 tokens."""


def long_chat(*texts: str) -> dict[str, Any]:
    return conversation(1, *texts, tokens=sum(len(text) for text in texts))


def said(messages: Iterable[dict[str, str]]) -> list[str]:
    return [" ".join(message["content"].split()[:2]) for message in messages]


def test_the_middle_of_a_long_chat_gives_way_so_that_no_reply_stands_behind_the_cut() -> None:
    by = params(formats=["trl_prompt_completion"], max_tokens={"trl_prompt_completion": 250})

    outcome = emitted(long_chat(*LONG), by=by)
    last, side = lines(outcome, name="trl_prompt_completion")[-1], lines(outcome, "meta", "trl_prompt_completion")[-1]

    assert said(last["prompt"]) == [
        *("Question 0?", "Answer 0."),
        *(f"{who} {number}{end}" for number in (5, 6) for who, end in (("Question", "?"), ("Answer", "."))),
        "Question 7?",
    ]
    assert side["left_out"] == [f"t{number}" for number in range(2, 10)]
    assert outcome.counts == {"trl_prompt_completion_train_rows": 8, "trl_prompt_completion_rows_shortened": 4}


@pytest.mark.parametrize("name", ["trl_prompt_completion", "alpaca", "kto"])
def test_no_row_of_a_reply_has_nothing_to_train_where_its_trainer_cuts(name: str, tmp_path: Path) -> None:
    texts = LONG * 20
    source = a_table(
        tmp_path / "validated", [{**long_chat(*texts), "outcome": {"resolved": None, "csat": 1.0, "reopened": None}}]
    )

    run(source, tmp_path / "chat", params(formats=[name]), MEANS)

    (path,) = [path for path in (tmp_path / "chat" / name).glob("*.jsonl") if ".meta" not in path.name]
    assert check_file(path, Asked(name)).counts == {}


def test_a_chat_whose_consumer_drops_long_rows_ends_with_the_last_exchange_that_fits() -> None:
    outcome = emitted(long_chat(*LONG), by=params(formats=["axolotl"], max_tokens={"axolotl": 150}))

    (row,) = lines(outcome, name="axolotl")
    assert said(row["messages"]) == ["Question 0?", "Answer 0.", "Question 1?", "Answer 1."]
    assert lines(outcome, "meta", "axolotl")[0]["left_out"] == [f"t{number}" for number in range(4, 16)]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("trl_prompt_completion", "nothing_trained_after_cut"),
        ("trl", "nothing_trained_after_cut"),
        ("axolotl", "dropped_for_length"),
    ],
)
def test_a_question_longer_than_the_trainer_reads_is_left_out_by_name_and_counted(name: str, reason: str) -> None:
    question = "word " * 300

    outcome = emitted(long_chat(question, "Hello."), by=params(formats=[name], max_tokens={name: 200}))

    assert outcome.dropped.row(0) == ("desk-0000000000000001", reason, name)
    assert outcome.counts == {f"{name}_lost_{reason}": 1}


def test_of_a_chat_with_one_such_question_the_other_replies_stay() -> None:
    name = "trl_prompt_completion"

    outcome = emitted(long_chat("Hi", "Hello.", "word " * 300, "I see."), by=params(formats=[name], max_tokens={name: 200}))

    assert outcome.counts == {f"{name}_train_rows": 1, f"{name}_rows_left_out_nothing_trained_after_cut": 1}


def test_axolotl_is_told_the_length_the_rows_were_written_for(tmp_path: Path) -> None:
    source = a_table(tmp_path / "validated", [conversation(n, "Hi", f"Hello {n}.") for n in range(40)])

    run(source, tmp_path / "chat", params(formats=["axolotl"], max_tokens={"axolotl": 300}), MEANS)

    told = json.loads((tmp_path / "chat/axolotl/axolotl.json").read_text())
    assert (told["sequence_len"], [each["path"] for each in told["datasets"]]) == (300, ["train.jsonl"])
    assert json.loads((tmp_path / "chat/axolotl/manifest.json").read_text())["max_tokens"] == 300


def test_a_length_for_no_format_is_refused() -> None:
    with pytest.raises(ValueError, match="'tlr' is no format"):
        params(max_tokens={"tlr": 100})
