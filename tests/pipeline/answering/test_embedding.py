"""Resemblance by meaning: a share of the score, paid once, and nothing is sent where params name no model."""

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import ProviderError
from pipeline.generate import run
from pipeline.tables import Manifest, Table
from tests.build import MEANS, conversation
from tests.llm_server import Junk, LlmServer, Received, Status
from tests.pipeline.generate_tables import deduped, params

RED = conversation(1, "Where is the red parcel I ordered?", "It waits at the depot.")
BLUE = conversation(2, "Where is the blue box I ordered?", "It left on Monday.")
ASKED = conversation(3, "Where is the blue parcel I ordered?")


def embed(received: Received) -> Junk | Status:
    """Boxes and parcels are the same; colours are not."""
    text = received.body["input"]
    vector = [float(word in text) for word in ("red", "blue")]
    return Junk(json.dumps({"data": [{"embedding": vector}], "model": "e", "usage": {"prompt_tokens": 7}}).encode())


def go(server: LlmServer, folder: Path, rows: Any = (RED, BLUE, ASKED), **more: Any) -> Manifest:
    endpoint = {"openai__base_url": server.base_url, "openai__key_variable": "TICKETMILL_TEST_KEY"}
    hybrid = {"embedding": json.dumps({"model": "e", "weight": 0.5, "candidates": 5})}
    return run(deduped(folder, rows), folder / "generated", params(folder, **{**endpoint, **hybrid, **more}), MEANS)


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICKETMILL_TEST_KEY", "sk-not-a-real-key")


def test_meaning_moves_the_answer_that_words_would_choose(tmp_path: Path) -> None:
    with LlmServer(embed) as server:
        go(server, tmp_path, embedding="null")
        by_words = Table(tmp_path / "generated").scan().collect()["turns"][2][-1]
        assert server.received == []
        go(server, tmp_path)
        by_both = Table(tmp_path / "generated").scan().collect()["turns"][2][-1]

    assert (by_words["text"], by_both["text"]) == ("It waits at the depot.", "It left on Monday.")
    assert by_both["generation"]["grounding"][0]["score"] > 0.5
    assert {received.path for received in server.received} == {"/v1/embeddings"}


def test_a_text_is_embedded_once_and_counts_towards_the_caps(tmp_path: Path) -> None:
    with LlmServer(embed) as server:
        go(server, tmp_path, budget__max_requests=3)
        (tmp_path / "generated" / "_manifest.json").unlink()
        go(server, tmp_path, budget__max_requests=3)

    assert sorted(received.body["input"] for received in server.received) == sorted(
        row["turns"][0]["text"] for row in (RED, BLUE, ASKED)
    )


def test_what_comes_near_no_question_is_not_embedded(tmp_path: Path) -> None:
    far = conversation(4, "Zebra quilts?", "None.")
    with LlmServer(embed) as server:
        go(server, tmp_path, [RED, BLUE, ASKED, far])

    assert len(server.received) == 3


@pytest.mark.parametrize("act", [Status(400), Junk(b"{}"), Junk(b'{"data": [{"embedding": ["a"]}]}')], ids=str)
def test_an_endpoint_without_embeddings_stops_the_run(tmp_path: Path, act: Any) -> None:
    with LlmServer(lambda _received: act) as server, pytest.raises(ProviderError, match="3 of 3 texts got no embedding"):
        go(server, tmp_path)
