from pathlib import Path

import pytest

from pipeline.errors import CurationError
from pipeline.trace import Step, trace
from tests.pipeline.line import make_line


def test_a_conversation_is_followed_from_its_row_to_its_end(tmp_path: Path) -> None:
    assert trace("a", make_line(tmp_path)) == [
        Step("ingest", "kept", ("from desk/log.jsonl row 3", "2 turns, 1 synthetic")),
        Step("scrub", "kept", ("2 turns, 1 synthetic", "findings: 2 x PERSON")),
        Step("validate", "kept", ("tokens 12", "edits: 1 x merged")),
    ]


def test_a_dropped_conversation_ends_with_the_reason(tmp_path: Path) -> None:
    assert trace("c", make_line(tmp_path))[-1] == Step("validate", "dropped: no_answer", ("detail 3",))
    assert trace("n", make_line(tmp_path)) == [Step("ingest", "dropped: no_messages", ("detail 3",))]


def test_an_unknown_id_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(CurationError) as raised:
        trace("z", make_line(tmp_path))

    assert str(raised.value) == f"z: no conversation of that id in {tmp_path}/validated; ids stand in *.meta.jsonl and in kept/"
