"""Chat completions from any endpoint that speaks OpenAI's protocol: OpenAI, Azure, vLLM, llama.cpp, Ollama.

The openai package does the talking. Two of its ways are chosen for their cost, measured over a local server at 64
requests at once: `post` of a ready body instead of `chat.completions.create`, which walks every message of every request
for keys to rename (0.4 ms of CPU a request), and its aiohttp transport instead of httpx, whose connection pool looks at
every connection for every request (0.3 ms).

Source: OpenAI API reference, "Create chat completion" (read November 2026).
"""

import json
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from socket import gaierror
from typing import Any, Final

from pipeline.answering.asking import Ask, ask_each, fetch_with
from pipeline.answering.batch import UNDER_WAY, Collected, fetch_in_batches
from pipeline.answering.provider_params import EndpointParams, PaceParams, Settings
from pipeline.answering.request import Answerer, Choice, Reply, Request
from pipeline.errors import EndpointError, Overloaded, ParamsError, ProviderError

NAME: Final = "openai"

MISTAKES_OF_OURS: Final = frozenset({401, 403, 404, 405, 407})
"""Statuses that every further request would get as well."""

BUSY: Final = frozenset({408, 409, 425, 429})


def answerer(settings: Settings) -> Answerer:
    """Answers of the model at `settings.openai.base_url`."""
    if settings.mode == "batch" and not settings.replay:
        fetch = fetch_in_batches(settings.openai.base_url, settings, lambda: _BatchDesk(settings.openai, settings.pace))
    else:
        fetch = fetch_with(settings, lambda: connect(settings.openai, settings.pace))
    return ask_each(NAME, settings.openai.base_url, settings, fetch)


def connect(endpoint: EndpointParams, pace: PaceParams) -> tuple[Ask, Callable[[], Awaitable[None]]]:
    """A function that sends a request, and one that closes the connections. Inside a running event loop.

    Raises:
        ParamsError: the environment holds no key.
    """
    key = _key(endpoint)
    import openai  # noqa: PLC0415  # 0.6 s, and only this provider talks to anybody

    client = openai.AsyncOpenAI(
        api_key=key,
        base_url=endpoint.base_url,
        timeout=pace.timeout_seconds,
        max_retries=0,  # attempts are counted and paid for one by one, so they are made in asking.py
        default_headers=dict(endpoint.headers),
        http_client=openai.DefaultAioHttpClient(follow_redirects=False, trust_env=False),  # no other host, no proxy
    )
    client.organization = client.project = None  # the package takes them from the environment, and would send them

    async def ask(request: Request) -> Reply:
        try:
            content = await client.post(
                "/chat/completions",
                cast_to=str,
                content=request.encoded,
                options={"headers": {"Idempotency-Key": request.key}},
            )
        except openai.APIStatusError as error:
            raise _translated(error.status_code, error.response.headers.get("retry-after")) from None
        except openai.APIConnectionError as error:
            raise _unanswered(error) from None  # the cause quotes the request
        return _read(content)

    return ask, client.close


def _key(endpoint: EndpointParams) -> str:
    key = os.environ.get(endpoint.key_variable)
    if not key:
        raise ParamsError(
            f"generate: ${endpoint.key_variable} is not set; put the endpoint's key there, or choose provider nearest"
        )
    return key


class _BatchDesk:
    """The files and batches endpoints."""

    def __init__(self, endpoint: EndpointParams, pace: PaceParams) -> None:
        import openai  # noqa: PLC0415  # as above

        self._client = openai.OpenAI(
            api_key=_key(endpoint),
            base_url=endpoint.base_url,
            timeout=pace.timeout_seconds,
            max_retries=pace.max_attempts,
            default_headers=dict(endpoint.headers),
            http_client=openai.DefaultHttpx2Client(follow_redirects=False, trust_env=False),
        )
        self._client.organization = self._client.project = None
        self._error: type[Exception] = openai.OpenAIError

    def hand_in(self, lines: bytes, token: str) -> str:
        with self._translated():
            file = self._client.files.create(file=(f"{token}.jsonl", lines), purpose="batch")
            batch = self._client.batches.create(
                completion_window="24h", endpoint="/v1/chat/completions", input_file_id=file.id, metadata={"ticketmill": token}
            )
        return batch.id

    def find(self, token: str) -> str | None:
        with self._translated():
            batches = self._client.batches.list(limit=100)
            return next((batch.id for batch in batches if (batch.metadata or {}).get("ticketmill") == token), None)

    def collect(self, batch_id: str) -> Collected:
        with self._translated():
            batch = self._client.batches.retrieve(batch_id)
            if batch.status in UNDER_WAY:
                return Collected(is_under_way=True, lines=())
            files = [file for file in (batch.output_file_id, batch.error_file_id) if file]
            lines = [
                line for file in files for line in self._client.files.content(file).read().decode(errors="replace").splitlines()
            ]
        return Collected(is_under_way=False, lines=lines)

    def close(self) -> None:
        self._client.close()

    def read(self, body: Any) -> Reply:
        return _read(json.dumps(body))

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except self._error as error:
            status = getattr(error, "status_code", None)
            said = f"answered {status}" if status else "gave no answer"
            raise EndpointError(
                f"generate: {self._client.base_url} {said}; correct generate.openai, or run again when it does: nothing is lost"
            ) from None


def _translated(status: int, retry_after: str | None) -> ProviderError:
    if status in BUSY or status >= 500:  # noqa: PLR2004  # RFC 9110 section 15.6: the server's fault
        return Overloaded(str(status), _seconds(retry_after), is_throttle=status in {429, 503})
    if status in MISTAKES_OF_OURS:
        return EndpointError(f"answered {status}")
    if 300 <= status < 400:  # noqa: PLR2004  # RFC 9110 section 15.4
        return EndpointError(f"answered {status}: it redirects, and only the address in params is allowed")
    return ProviderError(str(status))


def _unanswered(error: BaseException) -> Overloaded:
    # by cause: the transport calls every lost connection a timeout
    causes = []
    cause: BaseException | None = error
    while cause is not None:
        causes.append(cause)
        cause = cause.__cause__ or cause.__context__
    is_refused = any(isinstance(each, ConnectionRefusedError | gaierror) for each in causes)
    is_late = any(isinstance(each, TimeoutError) for each in causes)
    return Overloaded("timeout" if is_late else "connection", may_be_billed=not is_refused)


def _seconds(retry_after: str | None) -> float | None:
    """Retry-After in seconds (RFC 9110 section 10.2.3); its date form counts as not given."""
    try:
        return max(0.0, float(retry_after)) if retry_after else None
    except ValueError:
        return None


def _read(content: str) -> Reply:
    try:
        completion = json.loads(content)
        usage = completion.get("usage") or {}
        return Reply(
            choices=tuple(_choice(choice) for choice in completion["choices"]) or _none_given(),
            model=str(completion.get("model") or ""),
            input_tokens=int(usage.get("prompt_tokens") or 0),
            output_tokens=int(usage.get("completion_tokens") or 0),
        )
    except (ValueError, TypeError, LookupError, AttributeError):
        raise Overloaded("no_completion", may_be_billed=True) from None  # the cause quotes the reply


def _choice(choice: dict[str, Any]) -> Choice:
    message = choice["message"]
    finish_reason = "refusal" if message.get("refusal") else str(choice.get("finish_reason") or "stop")
    return Choice(str(message.get("content") or ""), finish_reason)


def _none_given() -> tuple[Choice, ...]:
    raise LookupError
