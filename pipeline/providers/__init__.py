"""Who answers. One file per provider; a provider is a function from params to an `Answerer`."""

from collections.abc import Callable, Mapping
from typing import Final

from pipeline.answering.embedding import Rescore, rescorer
from pipeline.answering.provider_params import Settings
from pipeline.answering.request import Answerer
from pipeline.answering.sending import Fetch
from pipeline.providers import fake, file, nearest, openai

PROVIDERS: Final[Mapping[str, Callable[[Settings], Answerer]]] = {
    "nearest": nearest.answerer,
    "openai": openai.answerer,
    "file": file.answerer,
    "fake": fake.answerer,
}

FETCHERS: Final[Mapping[str, Callable[[Settings], tuple[str, Fetch]]]] = {
    "openai": lambda settings: (settings.openai.base_url, openai.fetcher(settings)),
    "fake": lambda settings: (fake.NAME, fake.fetcher(settings)),
}
"""Providers that send requests: where to, and how."""


def find_meaning(settings: Settings) -> Rescore | None:
    """What scores by meaning, where params name a model for it."""
    if settings.embedding is None:
        return None
    return rescorer(settings.openai.base_url, settings.embedding, openai.direct_fetcher(settings))
