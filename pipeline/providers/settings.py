"""What providers are set by: the parts of the section `generate` that they read."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field

from pipeline.params import Section


class NearestParams(Section):
    """When the answer to another question will do."""

    min_similarity: float = Field(ge=0, le=1)
    """Cosine at which two questions count as the same. 1 = the same words."""


class PromptParams(Section):
    """What a model is told."""

    name: str
    """File in pipeline/prompts, without its ending."""

    language: str | None
    """Language of the answers, as one would tell a person; null: that of the conversation."""

    tone: str
    """How the answers sound, as one would tell a person."""

    max_words: int = Field(ge=1)
    """Length of an answer at most, as the model is told."""


class ModelParams(Section):
    """Which model answers, and how it draws."""

    name: str
    """As the endpoint calls it."""

    temperature: float = Field(ge=0)
    """0 = the likeliest words."""

    max_tokens: int = Field(ge=1)
    """Tokens of a reply at most; a longer one is cut off, and not used."""

    seed: int | None
    """For endpoints that can repeat a draw; null: not sent."""

    extra: Mapping[str, Any]
    """Further fields of the request's body."""


class EndpointParams(Section):
    """Where requests go. The only address that any stage connects to."""

    base_url: str = Field(pattern=r"^https?://[^/@\s]+(/[^@\s]*)?$")
    """Up to and without /chat/completions. No credentials in it."""

    key_variable: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    """Environment variable that holds the key; the key itself stands in no file."""

    headers: Mapping[str, str]
    """Further headers; no secrets."""


class PaceParams(Section):
    """How fast, how patiently. Nothing here changes an answer."""

    concurrency: int = Field(ge=1)
    """Requests under way at once."""

    timeout_seconds: float = Field(gt=0)
    """From sending a request to the last byte of its reply."""

    max_attempts: int = Field(ge=1)
    """Times one request is sent before it becomes a gap."""

    first_wait_seconds: float = Field(ge=0)
    """Before the second attempt; doubles with every further one. A Retry-After of the endpoint comes first."""

    max_wait_seconds: float = Field(ge=0)
    """Longest wait between two attempts, also when Retry-After asks for more."""

    max_failures_in_a_row: int = Field(ge=1)
    """Attempts of any requests that fail with none succeeding between, before the run stops."""


class Settings(Section):
    """What providers read of the section `generate`."""

    nearest: NearestParams
    """When the answer to another question will do."""

    prompt: PromptParams
    """What a model is told."""

    model: ModelParams
    """Which model answers."""

    openai: EndpointParams
    """Where requests go."""

    pace: PaceParams
    """How fast, how patiently."""

    replies: Path
    """Folder of the replies that were paid for."""
