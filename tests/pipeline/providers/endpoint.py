"""Questions, and asking an endpoint about them."""

from pathlib import Path
from typing import Any

from pipeline.generate import run
from pipeline.tables import Manifest, Table
from tests.build import MEANS, conversation
from tests.llm_server import LlmServer
from tests.pipeline.generate_tables import deduped, params

KEY = "sk-not-a-real-key-555-0199"
QUESTION = conversation(2, "Where is the blue parcel I ordered?")
MANY = [conversation(number, f"Where is parcel {'abcdefghijkl'[number]} of my order?") for number in range(12)]


def ask(server: LlmServer, folder: Path, rows: Any = (QUESTION,), **settings: Any) -> Manifest:
    folder.mkdir(exist_ok=True)
    source = deduped(folder, rows)
    endpoint = {"openai__base_url": server.base_url, "openai__key_variable": "TICKETMILL_TEST_KEY"}
    chosen = params(folder, **{"provider": "openai", **endpoint, **settings})
    return run(source, folder / "generated", chosen, MEANS)


def answers(folder: Path) -> list[str]:
    turns = Table(folder / "generated").scan().collect()["turns"].to_list()
    return [conversation[-1]["text"] for conversation in turns]
