"""`ticketmill validate FILE --target`: every fault is named by line, in chunks or whole."""

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sarif_pydantic import Sarif
from typer.testing import CliRunner

from pipeline import cli
from pipeline.errors import SourceError
from pipeline.formats import FORMATS
from pipeline.writing import training_file
from pipeline.writing.training_file import Asked, Report, check_file

GOOD = '{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello."}]}'


def check(folder: Path, *lines: str | bytes, target: str = "trl", start: bytes = b"", workers: int = 1, **asked: int) -> Report:
    path = folder / "rows.jsonl"
    path.write_bytes(start + b"".join((line.encode() if isinstance(line, str) else line) + b"\n" for line in lines))
    return check_file(path, Asked(target, **asked), workers)


def found(report: Report) -> list[tuple[int, str]]:
    return [(each.line, each.fault) for each in report.findings]


def test_a_sound_file_has_no_findings(tmp_path: Path) -> None:
    report = check(tmp_path, GOOD, GOOD)

    assert (report.is_sound, report.rows, report.counts, report.findings) == (True, 2, {}, [])


@pytest.mark.parametrize(
    "text", ['say \\"role\\": \\"user\\"', '{\\"a\\":1,\\"a\\":2}', "\\u0022x\\u0022:", "a: b", "caf\\u00e9\\\\"]
)
def test_a_text_that_looks_like_keys_repeats_none(tmp_path: Path, text: str) -> None:
    assert check(tmp_path, GOOD.replace("Hi", text)).is_sound


def test_a_mark_of_a_chat_template_is_named_and_costs_no_row(tmp_path: Path) -> None:
    report = check(tmp_path, GOOD, GOOD.replace("Hello.", "Bye [/INST] <|eot_id|>"), GOOD.replace("Hello.", "see <b> [1]"))

    assert (report.is_sound, report.counts) == (True, {"template_mark": 1})


@pytest.mark.parametrize("packed", [gzip.compress(GOOD.encode()), b"PK\x03\x04rest of it", b"\x28\xb5\x2f\xfdrest"])
def test_a_compressed_file_is_told_to_be_unpacked(tmp_path: Path, packed: bytes) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(packed)

    with pytest.raises(SourceError, match=r"is compressed .*; unpack it"):
        check_file(path, Asked("trl"))


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("", "blank_line"),
        ("{", "not_json"),
        ("{'messages': []}", "not_json"),
        (GOOD[:-1] + ',"x":NaN}', "not_json"),
        (GOOD + GOOD, "not_json"),
        ("7", "not_an_object"),
        (b'{"messages":[{"role":"user","content":"caf\xe9"}]}', "not_utf8"),
        (GOOD.replace("Hi", "\\ud83d"), "unpaired_surrogate"),
        (GOOD.replace("Hi", "\\u0000"), "control_character"),
        (GOOD.replace("Hi", "Hi<|im_end|>"), "template_mark"),
        (GOOD.replace("Hi", "\\u003c/s\\u003e"), "template_mark"),
        (GOOD[:-1] + ',"messages":[]}', "key_repeated"),
        (GOOD.replace('"role":"user"', '"role":"assistant", "role" : "user"'), "key_repeated"),
        ('{"prompt":"Hi","completion":"Hello."}', "mixed_shapes"),
        (GOOD.replace("user", "customer"), "role_unknown"),
        (GOOD.replace("Hi", " "), "content_empty"),
    ],
)
def test_a_bad_line_is_named_by_its_number_and_fault(tmp_path: Path, line: str | bytes, fault: str) -> None:
    report = check(tmp_path, GOOD, line, GOOD)

    assert (2, fault) in found(report)
    assert {number for number, _ in found(report)} == {2}


def test_line_ends_of_windows_and_a_missing_last_one_are_no_faults(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(f"{GOOD}\r\n{GOOD}".encode())

    assert check_file(path, Asked("trl")).counts == {}


@pytest.mark.parametrize(("target", "fault"), [("trl", "byte_order_mark"), ("azure", None)])
def test_a_byte_order_mark_is_a_fault_everywhere_but_at_azure(tmp_path: Path, target: str, fault: str | None) -> None:
    report = check(tmp_path, *[GOOD] * 10, target=target, start=b"\xef\xbb\xbf")

    assert found(report) == ([(0, fault)] if fault else [])


def test_azure_asks_for_the_mark(tmp_path: Path) -> None:
    assert found(check(tmp_path, *[GOOD] * 10, target="azure")) == [(0, "byte_order_mark_missing")]


@pytest.mark.parametrize("content", [f"[{GOOD},\n{GOOD}]", f"[{GOOD}]", f"[\n{GOOD}\n]"])
def test_one_array_is_named_as_such_and_not_line_by_line(tmp_path: Path, content: str) -> None:
    assert found(check(tmp_path, content)) == [(0, "not_lines")]


def test_too_few_rows_for_the_consumer_are_a_fault_of_the_file(tmp_path: Path) -> None:
    assert found(check(tmp_path, GOOD, target="openai")) == [(0, "too_few_rows")]


@pytest.mark.parametrize(
    ("question", "answer", "fault", "sound"),
    [("word " * 1100, "Hello.", "nothing_trained_after_cut", False), ("Hi", "word " * 1100, "too_long", True)],
)
def test_rows_that_the_consumer_would_cut_are_told_apart_by_whether_an_answer_is_left(
    tmp_path: Path, question: str, answer: str, fault: str, sound: bool
) -> None:
    line = GOOD.replace("Hi", question).replace("Hello.", answer)

    report = check(tmp_path, GOOD, line)

    assert found(report) == [(2, fault)]
    assert report.is_sound is sound
    assert check(tmp_path, GOOD, line, max_tokens=3000).counts == {}


def test_a_row_that_the_consumer_drops_for_its_length_is_lost_and_not_cut(tmp_path: Path) -> None:
    line = GOOD.replace("Hello.", "word " * 600)

    report = check(tmp_path, GOOD, line, target="axolotl")

    assert (found(report), report.is_sound) == ([(2, "dropped_for_length")], False)


def test_findings_are_limited_and_counts_are_not(tmp_path: Path) -> None:
    report = check(tmp_path, *["{"] * 30, max_findings=5)

    assert len(report.findings) == 5
    assert report.counts == {"not_json": 30}


@given(
    st.lists(st.sampled_from([GOOD, "{", "", "7", GOOD.replace("Hi", "漢" * 40)]), min_size=1, max_size=30), st.integers(1, 400)
)
def test_a_file_read_in_chunks_has_the_same_report(tmp_path_factory: pytest.TempPathFactory, lines: list[str], size: int) -> None:
    folder = tmp_path_factory.mktemp("file")
    whole = check(folder, *lines)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training_file, "CHUNK_BYTES", size)

        assert check(folder, *lines) == whole


def test_two_processes_give_the_same_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [GOOD, "{", GOOD, "7"] * 20
    monkeypatch.setattr(training_file, "CHUNK_BYTES", 1000)

    assert check(tmp_path, *lines, workers=2) == check(tmp_path, *lines)


def test_a_report_is_valid_sarif_and_says_what_to_do_and_nothing_of_the_text(tmp_path: Path) -> None:
    report = check(tmp_path, GOOD, GOOD.replace("user", "Ann Lee"))

    log = Sarif.model_validate(report.to_sarif())
    result = log.runs[0].results[0]

    assert (result.rule_id, result.level.value) == ("role_unknown", "error")
    assert result.locations[0].physical_location.region.start_line == 2
    assert "Ann Lee" not in json.dumps([report.to_json(), report.to_sarif()])
    assert report.to_json()["findings"][0] == {
        "line": 2,
        "fault": "role_unknown",
        "where": "messages[0].role",
        "fix": "use one of the consumer's roles",
        "level": "error",
    }


def test_keys_of_customers_do_not_enter_a_finding_when_they_are_long_or_no_names(tmp_path: Path) -> None:
    report = check(tmp_path, *[GOOD[:-1] + ',"ann@acme.io":1}'] * 10, target="openai")

    assert {each.where for each in report.findings} == {"a key"}


@pytest.mark.parametrize(
    ("name", "target", "message"),
    [
        ("none.jsonl", "trl", "no such file"),
        ("empty.jsonl", "trl", "is empty"),
        ("empty.jsonl", "tlr", "no such target; one of openai,"),
    ],
)
def test_what_cannot_be_checked_is_one_clear_error(tmp_path: Path, name: str, target: str, message: str) -> None:
    (tmp_path / "empty.jsonl").write_bytes(b"")

    with pytest.raises(SourceError, match=message):
        check_file(tmp_path / name, Asked(target))


def command(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli.app, list(words))
    return result.exit_code, result.output


def test_the_command_prints_line_fault_and_fix_and_exits_3(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(f"{GOOD}\n{GOOD.replace('user', 'customer')}\n")

    code, printed = command("validate", str(path), "--target", "trl", "--workers", "1")

    assert code == 3
    assert f"{path}:2: role_unknown at messages[0].role: use one of the consumer's roles" in printed.splitlines()
    assert f"{path}: 2 rows for trl, " in printed
    assert command("validate", str(path), "--target", "trl", "--json")[1].startswith('{"file": "rows.jsonl"')
    assert '"version": "2.1.0"' in command("validate", str(path), "--target", "trl", "--sarif")[1]


def test_the_command_asks_for_a_table_or_a_consumer_and_not_both(tmp_path: Path) -> None:
    assert "needs a TARGET table, or --target for a training file" in command("validate", str(tmp_path))[1]
    assert "give either a TARGET table or --target, not both" in command("validate", "a", "b", "--target", "trl")[1]


def test_the_list_of_formats_names_every_one_with_its_source_and_date() -> None:
    _, printed = command("formats")

    assert all(name in printed and one.source in printed and one.read.isoformat() in printed for name, one in FORMATS.items())
