"""What providers are set by: the parts of the section `generate` that they read."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from pipeline.answering.spending import BudgetParams, PriceParams
from pipeline.params import Section


class NearestParams(Section):
    """When the answer to another question will do."""

    min_similarity: float = Field(ge=0, le=1)
    """Cosine at which two questions count as the same. 1 = the same words."""


class PromptParams(Section):
    """What a model is told."""

    name: str
    """File in pipeline/prompts, without its ending."""

    language: str | None = Field(pattern=r"^[a-z]{2,3}$")
    """Language of the answers, ISO 639 code; null: that of the conversation."""

    tone: str
    """How the answers sound, as one would tell a person."""

    rules: Sequence[str]
    """Further instructions, one sentence each: what to refuse, what to promise, how the team writes."""

    style_examples: int = Field(ge=0)
    """Exchanges of the team, the most similar first, shown for the way they are written; nothing in them counts as known."""

    max_words: int = Field(ge=1)
    """Length of an answer at most, as the model is told."""

    max_input_tokens: int = Field(ge=1)
    """Turns beyond it are left out from the middle: the first and the last customer turns stay. o200k tokens."""

    without_grounding: Literal["ask", "hand_over", "leave"]
    """When nothing known resembles the question: `ask` the model for an honest hand-over, give `hand_over_text`, or
    `leave` it unanswered."""

    hand_over_text: str
    """What an agent says who passes a question on."""

    needs_human: Literal["keep", "leave"]
    """What becomes of an answer that the model says needs a human: `keep` it as the hand-over it is, or `leave` the
    question unanswered. Only with `model.output` json or json_schema."""


class ModelParams(Section):
    """Which model answers, and how it draws."""

    name: str
    """As the endpoint calls it."""

    temperature: float | None = Field(ge=0)
    """0 = the likeliest words; null: not sent, for models that allow none."""

    max_tokens: int = Field(ge=1)
    """Tokens of a reply at most; a longer one is cut off, and not used."""

    length_field: Literal["max_tokens", "max_completion_tokens"]
    """What the endpoint calls that bound."""

    output: Literal["text", "json", "json_schema"]
    """What a reply is: the answer itself; JSON (answer, needs_human, cited_ids), which the model is asked for; or the same,
    which the endpoint enforces; one that refuses to is asked as with `json`. A reply that is no such JSON is sent back once
    for repair."""

    candidates: int = Field(ge=1)
    """Texts per reply; the first that is accepted is used. 1: the field `n` is not sent."""

    seed: int | None
    """For endpoints that can repeat a draw; null: not sent."""

    extra: Mapping[str, Any]
    """Further fields of the request's body."""


class EndpointParams(Section):
    """Where requests go. The only address that any stage connects to."""

    base_url: str = Field(pattern=r"^https?://[^/@\s?#]+(/[^@\s?#]*)?$")
    """Up to /chat/completions, with or without it. Without any path, /v1 is tried where the address itself is not found. No
    credentials in it."""

    key_variable: str | None = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    """Environment variable that holds the key; the key itself stands in no file. null, or an empty variable: the endpoint
    asks for none, and none is sent."""

    key_header: str | None = Field(pattern=r"^[A-Za-z0-9-]+$")
    """Header that carries the key, such as Azure's api-key; null: `Authorization: Bearer`."""

    headers: Mapping[str, str]
    """Further headers; no secrets."""

    query: Mapping[str, str]
    """Further parts of the address, such as Azure's api-version; no secrets."""

    @field_validator("headers")
    @classmethod
    def _holds_no_control_characters(cls, headers: Mapping[str, str]) -> Mapping[str, str]:
        if not all(name.isprintable() and value.isprintable() for name, value in headers.items()):
            raise ValueError("a header holds a line break or another control character")
        return headers

    @field_validator("base_url")
    @classmethod
    def _ends_before_the_path(cls, url: str) -> str:
        try:
            address = urlsplit(url)
            (address.hostname or "").encode("idna")
            is_valid = address.port != 0
        except ValueError:  # of the port, of an IPv6 address, or of a name that no host can have
            is_valid = False
        if not is_valid:
            raise ValueError("no address that anybody can have: see its host and port")
        return url.rstrip("/").removesuffix("/chat/completions").rstrip("/")


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

    requests_per_minute: float | None = Field(gt=0)
    """Requests leave evenly, at most so many. Per process; null: no limit."""

    tokens_per_minute: float | None = Field(gt=0)
    """The same for tokens, estimated from characters and the longest reply. Per process; null: no limit."""

    max_failures_in_a_row: int = Field(ge=1)
    """Attempts of any requests that fail with none succeeding between, before the run stops."""


class BatchParams(Section):
    """Requests that are handed in together and collected by a later run."""

    max_requests: int = Field(ge=1)
    """Requests of one batch."""


class EmbeddingParams(Section):
    """A model that tells what texts mean, at the same endpoint."""

    model: str
    """As the endpoint calls it."""

    weight: float = Field(ge=0, le=1)
    """Its share in the score of what resembles a question; the rest is that of the words."""

    candidates: int = Field(ge=1)
    """Exchanges and passages each that are scored again, the lexically best."""


class JudgeParams(Section):
    """A model that looks at answers which met every rule."""

    prompt: str
    """File in pipeline/prompts with the rubric, without its ending."""

    model: str | None
    """As the endpoint calls it; null: the one that answers."""

    max_tokens: int = Field(ge=1)
    """Tokens of a verdict at most."""

    swapped_share: float = Field(ge=0, le=1)
    """Share of the answers, by the hash of their request, that are judged a second time with everything in the opposite
    order; a verdict that changes is none."""

    labels: Path
    """What `ticketmill judge validate` found: verdicts beside those of people."""

    min_items: int = Field(ge=1)
    """Items labelled by judge and people before the judge may decide."""

    min_kappa: float = Field(ge=-1, le=1)
    """Lower end of the 95 % interval of Cohen's kappa with people, below which it may not decide."""

    max_flips: float = Field(ge=0, le=1)
    """Share of labelled items whose verdict changes with the order, above which it may not decide."""


class FileParams(Section):
    """Where people write answers. CSV or JSON lines, by the ending; scrubbed text only."""

    questions: Path
    """Written by every run: the questions that wait for an answer."""

    answers: Path
    """Read by every run: the same rows with `answer` filled in. Need not be there yet."""


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

    budget: BudgetParams
    """What may be spent."""

    prices: PriceParams
    """What it costs."""

    mode: Literal["direct", "batch"]
    """Provider openai: `direct` waits for every reply; `batch` hands the requests in, ends with gaps `awaiting_batch`, and
    a later run collects."""

    batch: BatchParams
    """Requests that are handed in together."""

    embedding: EmbeddingParams | None
    """Resemblance by meaning beside that by words; null: by words alone, and nothing is sent for it."""

    judge: JudgeParams | None
    """A second opinion on answers of a model; null: none is asked."""

    file: FileParams
    """Where people write answers."""

    replies: Path
    """Folder of the replies that were paid for, and of the account of what was spent."""

    replay: bool
    """True: answer from kept replies alone; a reply that is not there stops the run, and nothing is sent."""
