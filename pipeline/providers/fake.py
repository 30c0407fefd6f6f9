"""A model that is none: asks nobody, answers the same to the same request. For tests and for trying the line out."""

import json
from typing import Final

from pipeline.answering.acceptance import get_ready
from pipeline.answering.asking import ask_each
from pipeline.answering.provider_params import Settings
from pipeline.answering.request import Answerer, Choice, Reply, Request
from pipeline.answering.sending import Fetch, fetch_with

NAME: Final = "fake"
CHARACTERS_PER_TOKEN: Final = 4


def answerer(settings: Settings) -> Answerer:
    """Goes the way of a real model, prompt and kept replies included, but for the network."""
    return ask_each(NAME, NAME, settings, fetcher(settings))


def fetcher(settings: Settings) -> Fetch:
    """Gets replies that `reply` makes up."""

    async def ask(request: Request) -> Reply:
        return reply(request, as_json=settings.model.output != "text")

    async def close() -> None:
        pass

    return fetch_with(settings, lambda: (ask, close), get_ready)


def reply(request: Request, *, as_json: bool) -> Reply:
    """Thanks, and a word that depends on the request, so that no two conversations get the same answer."""
    text = f"Thank you for your message. A colleague will look into this and write to you soon. ({_word(request.key)})"
    asked = sum(len(message.content) for message in request.messages)
    if as_json:
        text = json.dumps({"answer": text, "needs_human": True, "cited_ids": []})
    return Reply((Choice(text, "stop"),), NAME, asked // CHARACTERS_PER_TOKEN, len(text) // CHARACTERS_PER_TOKEN)


def _word(key: str) -> str:
    return "".join("bdfgklmnprstvzhj"[int(digit, 16)] + "aeiou"[int(digit, 16) % 5] for digit in key[:6])
