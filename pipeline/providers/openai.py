"""Chat completions from any endpoint that speaks OpenAI's protocol: OpenAI, Azure, vLLM, llama.cpp, Ollama.

The openai package does the talking. Two of its ways are chosen for their cost, measured over a local server at 64
requests at once: `post` of a ready body instead of `chat.completions.create`, which walks every message of every request
for keys to rename (0.4 ms of CPU a request), and its aiohttp transport instead of httpx, whose connection pool looks at
every connection for every request (0.3 ms).

Sources: OpenAI API reference, "Create chat completion", "Batch" (read November 2026).
"""

import asyncio
import os
import sys
import time
from array import array
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from socket import gaierror
from ssl import SSLError
from typing import Any, Final

import orjson

from pipeline.answering.asking import SCHEMA, ask_each
from pipeline.answering.batch import UNDER_WAY, Collected, fetch_in_batches
from pipeline.answering.provider_params import EndpointParams, PaceParams, Settings
from pipeline.answering.request import Answerer, Choice, EmbeddingRequest, Reply, Request
from pipeline.answering.sending import Ask, Fetch, fetch_with
from pipeline.errors import CurationError, EndpointError, Overloaded, ParamsError, ProviderError

NAME: Final = "openai"

MISTAKES_OF_OURS: Final = frozenset({401, 402, 403, 404, 405, 407})
"""Statuses that every further request would get as well."""

OK: Final = 200

BUSY: Final = frozenset({408, 409, 425, 429})

THROTTLES: Final = frozenset({429, 503, 529})

REFUSALS_OF_A_FIELD: Final = frozenset({400, 404, 415, 422, 500, 501})
"""Statuses by which servers say that they do not know a field of the body (seen: 400 at OpenAI and vLLM, 422 at Mistral
and Together, 500 at llama.cpp, 501 at proxies)."""

NO_MORE_MONEY: Final = frozenset({"insufficient_quota", "billing_hard_limit_reached"})
FILTERED: Final = "content_filter"
"""Codes in the body of an error. Azure OpenAI, "Content filtering" (read November 2026): a filtered prompt is a 400."""

TELLTALES: Final = ("Lang", "Package-Version", "OS", "Arch", "Runtime", "Runtime-Version", "Async")
"""What the openai package says of this machine in headers X-Stainless-…; nobody needs to know."""

AGENT: Final = "ticketmill"

END_OF_THOUGHT: Final = "</think>"
"""Models that think aloud do so before it, when nobody has taken their thoughts away."""


Post = Callable[[str, bytes, str], Awaitable[tuple[int, Mapping[str, str], bytes]]]
"""Sends a body to a path under an idempotency key; status, headers and content of what came back."""


def answerer(settings: Settings) -> Answerer:
    """Answers of the model at `settings.openai.base_url`."""
    return ask_each(NAME, settings.openai.base_url, settings, fetcher(settings))


def fetcher(settings: Settings) -> Fetch:
    """Gets replies from `settings.openai.base_url`."""
    if settings.mode == "batch" and not settings.replay:
        return fetch_in_batches(settings.openai.base_url, settings, lambda: _BatchDesk(settings.openai, settings.pace))
    return direct_fetcher(settings)


def direct_fetcher(settings: Settings) -> Fetch:
    """Gets replies at once, whatever the mode."""
    return fetch_with(settings, lambda: connect(settings.openai, settings.pace))


def connect(endpoint: EndpointParams, pace: PaceParams) -> tuple[Ask, Callable[[], Awaitable[None]]]:
    """A function that sends a request, and one that closes the connections. Inside a running event loop.

    Raises:
        ParamsError: the environment holds no key.
    """
    post, close = _open_line(endpoint, pace)
    is_schema_refused = False

    async def ask(request: Request) -> Reply:
        nonlocal is_schema_refused
        has_schema = request.extra.get("response_format") == SCHEMA
        if not (has_schema and is_schema_refused):
            status, headers, content = await post(request.path, request.encoded, request.key)
            if status == OK:
                return _read_vector(content) if isinstance(request, EmbeddingRequest) else _read(content)
            if not has_schema or status not in REFUSALS_OF_A_FIELD or _code(content) == FILTERED:
                return _refused(status, headers, content, request)
        # the prompt asks for the same JSON in words
        body = {name: value for name, value in request.body().items() if name != "response_format"}
        status, headers, content = await post(request.path, orjson.dumps(body), f"{request.key}-unformatted")
        if status != OK:
            return _refused(status, headers, content, request)
        is_schema_refused = True
        return _read(content)

    return ask, close


def _open_line(endpoint: EndpointParams, pace: PaceParams) -> tuple[Post, Callable[[], Awaitable[None]]]:
    import openai  # noqa: PLC0415  # 0.4 s, and only this provider talks to anybody

    client = openai.AsyncOpenAI(
        **_manners(endpoint),
        timeout=pace.timeout_seconds,
        max_retries=0,  # attempts are counted and paid for one by one, so they are made in sending.py
        http_client=openai.DefaultAioHttpClient(follow_redirects=False, trust_env=False),  # no other host, no proxy
    )
    client.organization = client.project = None  # the package takes them from the environment, and would send them
    # whole addresses: put together by the package, they are taken apart again for every request
    addresses = {kind.path: f"{endpoint.base_url.rstrip('/')}{kind.path}" for kind in (Request, EmbeddingRequest)}
    fixed = {**SILENT, **_without_bearer(endpoint)}

    async def post(path: str, body: bytes, token: str) -> tuple[int, Mapping[str, str], bytes]:
        headers = {**fixed, "Idempotency-Key": token}
        try:
            async with asyncio.timeout(pace.timeout_seconds):  # the package's own starts anew with every byte
                content = await client.post(addresses[path], cast_to=bytes, content=body, options={"headers": headers})
        except openai.APIStatusError as error:
            return error.status_code, error.response.headers, error.response.content
        except TimeoutError:
            raise Overloaded("timeout", may_be_billed=True) from None
        except openai.APIConnectionError as error:
            raise _unanswered(error) from None  # the cause quotes the request
        return OK, {}, content

    return post, client.close


def _manners(endpoint: EndpointParams) -> dict[str, Any]:
    """How both of the package's clients introduce themselves: where to, the key, and nothing of this machine."""
    import openai  # noqa: PLC0415  # as above

    key = _key(endpoint)
    headers: dict[str, Any] = {"User-Agent": AGENT, **{f"X-Stainless-{name}": openai.Omit() for name in TELLTALES}}
    headers |= endpoint.headers
    if endpoint.key_header:
        headers[endpoint.key_header] = key
    return {"api_key": key, "base_url": endpoint.base_url, "default_headers": headers, "default_query": dict(endpoint.query)}


SILENT: Final = {f"X-Stainless-{name}": "" for name in ("Read-Timeout", "Retry-Count")}


def _without_bearer(endpoint: EndpointParams) -> dict[str, Any]:
    """Headers of one request; only there does the package let go of its own way to carry the key."""
    import openai  # noqa: PLC0415  # as above

    return {"Authorization": openai.Omit()} if endpoint.key_header else {}


def _unanswered(error: BaseException) -> CurationError:
    # by cause: the transport calls every lost connection a timeout
    causes = []
    cause: BaseException | None = error
    while cause is not None:
        causes.append(cause)
        cause = cause.__cause__ or cause.__context__
    if any(isinstance(each, SSLError) for each in causes):
        return EndpointError("presents a certificate that is not trusted")
    is_refused = any(isinstance(each, ConnectionRefusedError | gaierror) for each in causes)
    is_late = any(isinstance(each, TimeoutError) for each in causes)
    return Overloaded("timeout" if is_late else "connection", may_be_billed=not is_refused)


def _refused(status: int, headers: Mapping[str, str], content: bytes, request: Request) -> Reply:
    """Raise what a status means; a prompt that was filtered is a reply of its own."""
    code = _code(content)
    if code == FILTERED:
        return Reply((Choice("", FILTERED),), request.model, 0, 0)  # it does not say what it cost: the worst
    raise _translated(status, code, headers)


def _code(content: bytes) -> str:
    """What an error calls itself, when it has OpenAI's shape."""
    try:
        return str(orjson.loads(content)["error"]["code"])
    except (ValueError, TypeError, LookupError):
        return ""


def _key(endpoint: EndpointParams) -> str:
    key = os.environ.get(endpoint.key_variable, "").strip()
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
            **_manners(endpoint),
            timeout=pace.timeout_seconds,
            max_retries=pace.max_attempts,
            http_client=openai.DefaultHttpx2Client(follow_redirects=False, trust_env=False),
        )
        self._client.organization = self._client.project = None
        self._error: type[Exception] = openai.OpenAIError
        self._fixed: dict[str, Any] = _without_bearer(endpoint)

    def hand_in(self, lines: bytes, token: str) -> str:
        with self._translated():
            file = self._client.files.create(file=(f"{token}.jsonl", lines), purpose="batch", extra_headers=self._fixed)
            batch = self._client.batches.create(
                completion_window="24h",
                endpoint="/v1/chat/completions",
                input_file_id=file.id,
                metadata={"ticketmill": token},
                extra_headers=self._fixed,
            )
        return batch.id

    def find(self, token: str) -> str | None:
        with self._translated():
            batches = self._client.batches.list(limit=100, extra_headers=self._fixed)
            return next((batch.id for batch in batches if (batch.metadata or {}).get("ticketmill") == token), None)

    def collect(self, batch_id: str) -> Collected:
        with self._translated():
            batch = self._client.batches.retrieve(batch_id, extra_headers=self._fixed)
            if batch.status in UNDER_WAY:
                return Collected(is_under_way=True, lines=())
            files = [file for file in (batch.output_file_id, batch.error_file_id) if file]
            lines = [
                line
                for file in files
                for line in self._client.files.content(file, extra_headers=self._fixed)
                .read()
                .decode(errors="replace")
                .splitlines()
            ]
        return Collected(is_under_way=False, lines=lines)

    def close(self) -> None:
        self._client.close()

    def read(self, body: Any) -> Reply:
        return _read(orjson.dumps(body))

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


def _translated(status: int, code: object, headers: Mapping[str, str]) -> ProviderError:
    if code in NO_MORE_MONEY:
        return EndpointError(f"answered {status}: the account there is used up")
    if status in BUSY or status >= 500:  # noqa: PLR2004  # RFC 9110 section 15.6: the server's fault
        return Overloaded(str(status), _seconds(headers), is_throttle=status in THROTTLES)
    if status in MISTAKES_OF_OURS:
        return EndpointError(f"answered {status}")
    if 300 <= status < 400:  # noqa: PLR2004  # RFC 9110 section 15.4
        return EndpointError(f"answered {status}: it redirects, and only the address in params is allowed")
    return ProviderError(str(status))


def _seconds(headers: Mapping[str, str]) -> float | None:
    """How long an endpoint asks to wait: milliseconds as Azure says it, else Retry-After (RFC 9110 section 10.2.3)."""
    for name, per_second in (("retry-after-ms", 1000), ("retry-after", 1)):
        said = headers.get(name, "")
        try:
            return max(0.0, float(said) / per_second)
        except ValueError:
            continue
    try:
        return max(0.0, parsedate_to_datetime(said).timestamp() - time.time())
    except ValueError:
        return None


def _read(content: bytes) -> Reply:
    try:
        completion = orjson.loads(content)
        usage = completion.get("usage") or {}
        return Reply(
            choices=tuple(_choice(choice) for choice in completion["choices"]) or _none_given(),
            model=str(completion.get("model") or ""),
            input_tokens=max(0, int(usage.get("prompt_tokens") or 0)),
            output_tokens=max(0, int(usage.get("completion_tokens") or 0)),
        )
    except (ValueError, TypeError, LookupError, AttributeError):
        raise Overloaded("no_completion", may_be_billed=True) from None  # the cause quotes the reply


def _read_vector(content: bytes) -> Reply:
    try:
        answer = orjson.loads(content)
        vector = array("f", answer["data"][0]["embedding"])
        if sys.byteorder == "big":
            vector.byteswap()
        used = max(0, int((answer.get("usage") or {}).get("prompt_tokens") or 0))
        return Reply((Choice(b64encode(vector.tobytes()).decode(), "stop"),), str(answer.get("model") or ""), used, 0)
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError):
        raise Overloaded("no_embedding", may_be_billed=True) from None  # the cause quotes the reply


def _choice(choice: dict[str, Any]) -> Choice:
    message = choice["message"]
    finish_reason = "refusal" if message.get("refusal") else str(choice.get("finish_reason") or "stop")
    text = _text(message.get("content"))
    thought, mark, said = text.rpartition(END_OF_THOUGHT)
    if not mark and text.lstrip().startswith("<think>"):
        return Choice("", "length")  # it never came to an end with thinking
    return Choice(said if mark else thought + said, finish_reason)


def _text(content: Any) -> str:
    """A message's text; some servers give it in pieces, thoughts and other things among them."""
    if isinstance(content, list):
        return "".join(str(piece.get("text") or "") for piece in content if piece.get("type") in {"text", "output_text"})
    if content is not None and not isinstance(content, str):
        raise TypeError
    return content or ""


def _none_given() -> tuple[Choice, ...]:
    raise LookupError
