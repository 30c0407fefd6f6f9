"""Who answers. One file per provider; a provider is a function from params to an `Answerer`."""

from collections.abc import Callable, Mapping
from typing import Final

from pipeline.provider_params import Settings
from pipeline.providers import fake, file, nearest, openai
from pipeline.request import Answerer

PROVIDERS: Final[Mapping[str, Callable[[Settings], Answerer]]] = {
    "nearest": nearest.answerer,
    "openai": openai.answerer,
    "file": file.answerer,
    "fake": fake.answerer,
}
