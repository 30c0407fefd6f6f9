"""Chat completions from any endpoint that speaks OpenAI's protocol: OpenAI, Azure, vLLM, llama.cpp, Ollama.

aiohttp carries single requests, the openai package files and batches: docs/decisions/0400-who-talks-to-the-endpoint.md.

Sources: OpenAI API reference, "Create chat completion", "Batch" (read November 2026).
"""

import os
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import orjson

from pipeline.answering.acceptance import get_ready
from pipeline.answering.asking import ask_each
from pipeline.answering.batch import FINAL, Collected, fetch_in_batches
from pipeline.answering.completions import (
    LENGTH_FIELDS,
    OK,
    fields,
    not_a_reply,
    read_completion,
    read_vector,
    true_status,
    unwanted,
    whole,
    without,
)
from pipeline.answering.provider_params import EndpointParams, PaceParams, Settings
from pipeline.answering.request import Answerer, EmbeddingRequest, Reply, Request
from pipeline.answering.sending import Ask, Fetch, fetch_with
from pipeline.errors import EndpointError, Overloaded, ParamsError

if TYPE_CHECKING:
    from aiohttp import StreamReader

NAME: Final = "openai"

PATHLESS: Final = 2
"""Slashes of an address that ends with the host."""

TELLTALES: Final = ("Lang", "Package-Version", "OS", "Arch", "Runtime", "Runtime-Version", "Async")
"""What the openai package says of this machine in headers X-Stainless-…; nobody needs to know."""

AGENT: Final = "ticketmill"

RESTS_SECONDS: Final = 4
"""A connection that rested longer is not used again: uvicorn, under vLLM and many others, ends it after 5, and what is sent just
then is lost, or paid for and lost."""

LONGEST_REPLY: Final = 64 * 2**20
"""Bytes, unpacked. No reply is as long; a page without end, or a megabyte that unpacks to a thousand, would take all memory."""

NO_FIELDS: Final[frozenset[str]] = frozenset()

Post = Callable[[str, bytes, str], Awaitable[tuple[int, Mapping[str, str], bytes]]]
"""Sends a body to an address under an idempotency key; status, headers and content of what came back."""


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
    manners = Manners(settings.openai.base_url)
    return fetch_with(settings, lambda: connect(settings.openai, settings.pace, manners), get_ready)


class Manners:
    """What an endpoint turned out to want otherwise: learned from its refusals, which cost nothing, for all of a run."""

    def __init__(self, base_url: str) -> None:
        """Start as params have it."""
        self.address = base_url
        self.refused: dict[str, frozenset[str]] = {}
        """Fields of the body that a model there does not know; behind a gateway every model may be of another make."""
        self.taken: dict[str, frozenset[str]] = {}
        """Fields of bodies that a model there answered."""


def connect(endpoint: EndpointParams, pace: PaceParams, manners: Manners) -> tuple[Ask, Callable[[], Awaitable[None]]]:
    """A function that sends a request, and one that closes the connections. Inside a running event loop.

    Raises:
        ParamsError: the environment holds no key.
    """
    post, close = _open_line(endpoint, pace)

    async def ask(request: Request) -> Reply:
        address, refused = manners.address, manners.refused.get(request.model, NO_FIELDS)
        while True:
            body, token = request.encoded, request.key
            if refused:
                body = orjson.dumps(without(request.body(), refused))
                token = f"{request.key}-without-{'-'.join(sorted(refused))}"
            status, headers, content = await post(f"{address}{request.path}", body, token)
            content = whole(content)
            status, sent = true_status(status, content), fields(request.body())
            taken = manners.taken.get(request.model, NO_FIELDS)
            if status == OK:
                manners.address = address
                manners.refused[request.model] = manners.refused.get(request.model, NO_FIELDS) | refused
                manners.taken[request.model] = taken | (sent - refused)
                reply = read_vector(content) if isinstance(request, EmbeddingRequest) else read_completion(content)
                return replace(reply, without=tuple(sorted(refused - LENGTH_FIELDS.keys())))
            if status in {404, 405} and not manners.taken and address == endpoint.base_url and address.count("/") == PATHLESS:
                address = f"{address}/v1"
            elif more := unwanted(status, content, sent - refused, taken):
                refused |= more
            else:
                meant = not_a_reply(status, headers, content, request, taken)
                if isinstance(meant, Reply):
                    return meant
                raise meant

    return ask, close


def _open_line(endpoint: EndpointParams, pace: PaceParams) -> tuple[Post, Callable[[], Awaitable[None]]]:
    import aiohttp  # noqa: PLC0415  # 0.2 s, and only this provider talks to anybody
    from yarl import URL  # noqa: PLC0415  # comes with it

    key = _key(endpoint)
    headers = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": AGENT, **endpoint.headers}
    if key:
        headers |= {endpoint.key_header: key} if endpoint.key_header else {"Authorization": f"Bearer {key}"}
    line = aiohttp.ClientSession(
        # how many are under way is decided in pace.py
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=RESTS_SECONDS),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=pace.timeout_seconds),  # of the whole reply, however slowly it drips
        headers=headers,
        trust_env=False,  # no proxy, no .netrc
    )

    @cache
    def find(address: str) -> URL:
        return URL(address).update_query(endpoint.query)

    async def post(address: str, body: bytes, token: str) -> tuple[int, Mapping[str, str], bytes]:
        try:
            sending = line.post(find(address), data=body, headers={"Idempotency-Key": token}, allow_redirects=False)
            async with sending as answer:
                return answer.status, answer.headers, await _read(answer.content)
        except (aiohttp.ClientConnectorCertificateError, aiohttp.ClientSSLError):
            raise EndpointError("presents a certificate that is not trusted") from None  # here and below: the cause quotes
        except TimeoutError:
            raise Overloaded("timeout", may_be_billed=True) from None
        except aiohttp.ClientConnectorError:
            raise Overloaded("connection") from None  # nothing was sent
        except aiohttp.ClientError:
            raise Overloaded("connection", may_be_billed=True) from None

    return post, line.close


async def _read(content: "StreamReader") -> bytes:
    pieces = [await content.readany()]  # nearly always all of it
    length = len(pieces[0])
    while not content.at_eof():
        pieces.append(await content.readany())
        length += len(pieces[-1])
        if length > LONGEST_REPLY:
            raise Overloaded("too_long", may_be_billed=True)
    return b"".join(pieces)


def _key(endpoint: EndpointParams) -> str:
    """The key; empty where the endpoint asks for none."""
    key = os.environ.get(endpoint.key_variable) if endpoint.key_variable else ""
    if key is None:
        raise ParamsError(
            f"generate: ${endpoint.key_variable} is not set; put the endpoint's key there, say key_variable: null where it asks "
            "for none, or choose provider nearest"
        )
    if not key.strip().isprintable():
        raise ParamsError(
            f"generate: ${endpoint.key_variable} holds a line break or another control character; put the key alone there"
        )
    return key.strip()


class _BatchDesk:
    """The files and batches endpoints, through the openai package."""

    def __init__(self, endpoint: EndpointParams, pace: PaceParams) -> None:
        import openai  # noqa: PLC0415  # 0.4 s, and only batches need it

        key = _key(endpoint)
        headers: dict[str, Any] = {"User-Agent": AGENT, **{f"X-Stainless-{name}": openai.Omit() for name in TELLTALES}}
        headers |= endpoint.headers
        if endpoint.key_header and key:
            headers[endpoint.key_header] = key
        self._client = openai.OpenAI(
            api_key=key or "none",
            base_url=endpoint.base_url,
            default_headers=headers,
            default_query=dict(endpoint.query),
            timeout=pace.timeout_seconds,
            max_retries=pace.max_attempts,
            http_client=openai.DefaultHttpx2Client(follow_redirects=False, trust_env=False),
        )
        self._client.organization = self._client.project = None  # taken from the environment, they would be sent
        self._error: type[Exception] = openai.OpenAIError
        # headers of one request; only there does the package let go of its own way to carry the key
        self._fixed: dict[str, Any] = {} if key and not endpoint.key_header else {"Authorization": openai.Omit()}

    def hand_in(self, lines: bytes, token: str) -> str:
        with self._translated():
            file = self._client.files.create(file=(f"{token}.jsonl", lines), purpose="batch", extra_headers=self._fixed)
            batch = self._client.batches.create(
                completion_window="24h",
                endpoint="/v1/chat/completions",
                input_file_id=self._stated(file, "id"),
                metadata={"ticketmill": token},
                extra_headers=self._fixed,
            )
        return self._stated(batch, "id")

    def find(self, token: str) -> str | None:
        with self._translated():
            batches = self._client.batches.list(limit=100, extra_headers=self._fixed)
            return next((batch.id for batch in batches if (batch.metadata or {}).get("ticketmill") == token), None)

    def collect(self, batch_id: str) -> Collected:
        with self._translated():
            batch = self._client.batches.retrieve(batch_id, extra_headers=self._fixed)
            if self._stated(batch, "status").lower() not in FINAL:
                return Collected(is_under_way=True, lines=())
            files = [file for file in (batch.output_file_id, batch.error_file_id) if file]
            contents = [self._client.files.content(file, extra_headers=self._fixed).read() for file in files]
        # by line breaks alone: U+2028 may stand in a text as it is
        lines = [line for content in contents for line in content.decode(errors="replace").split("\n") if line.strip()]
        return Collected(is_under_way=False, lines=lines)

    def close(self) -> None:
        self._client.close()

    def read(self, body: Any) -> Reply:
        return read_completion(orjson.dumps(body))

    def _stated(self, of: Any, name: str) -> str:
        """What the endpoint says of a file or batch; the package hands on whatever came back, a page of a proxy too."""
        value = getattr(of, name, None)
        if not isinstance(value, str):
            raise EndpointError(
                f"generate: {self._client.base_url} gives files and batches no {name}; correct base_url, or use mode: direct"
            )
        return value

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (self._error, ValueError) as error:  # the latter from a page that calls itself JSON
            status = getattr(error, "status_code", None)
            said = f"answered {status}" if status else "gave no answer"
            raise EndpointError(
                f"generate: {self._client.base_url} {said}; correct generate.openai, or run again when it does: nothing is lost"
            ) from None
