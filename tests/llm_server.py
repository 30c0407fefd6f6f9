"""A small real HTTP server that speaks Chat Completions, scripted to answer well and badly.

In a test: `with LlmServer(script) as server: … server.base_url, server.received`. Alone, for runs that are killed:
`python -m tests.llm_server --latency 0.05 --faults 0.2` prints its address; GET /meter tells what it was paid for.
It bills as vendors do: every answer it began to send, even when the client never read it. A request that comes again
with the same Idempotency-Key gets the same answer and is not billed again.
"""

import argparse
import asyncio
import json
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from types import TracebackType
from typing import Any, Final, Self

CHARACTERS_PER_TOKEN: Final = 4


@dataclass(frozen=True)
class Answer:
    """A well-formed reply; without `text` one made up from the body, the same for the same body."""

    text: str | None = None
    finish_reason: str = "stop"
    refusal: str | None = None
    after_seconds: float | None = None
    completion_tokens: int | None = None


@dataclass(frozen=True)
class Status:
    """An HTTP status that is no answer."""

    code: int
    headers: Mapping[str, str] = field(default_factory=dict)
    message: str = "no"
    body: bytes | None = None
    """In place of the error object that OpenAI sends."""


@dataclass(frozen=True)
class Hang:
    """Never a byte."""


@dataclass(frozen=True)
class Drip:
    """A reply in chunks, a byte at a time, so that it never ends but always moves; billed."""

    seconds_between: float = 0.05


@dataclass(frozen=True)
class Chunked:
    """A reply in two chunks, and then the end of the connection, which the client may have meant to use again."""

    text: str = "Here."


@dataclass(frozen=True)
class CutOff:
    """Half of a reply, then the end of the connection; billed."""


@dataclass(frozen=True)
class Reset:
    """The connection ends before the first byte; not billed."""


@dataclass(frozen=True)
class Junk:
    """Status 200 with these bytes, from a gateway that never reached the model; not billed."""

    body: bytes = b"<html>gateway</html>"
    content_type: str = "application/json"


Act = Answer | Status | Hang | Drip | Chunked | CutOff | Reset | Junk


@dataclass(frozen=True)
class Received:
    """One request as it came in."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any
    fingerprint: str
    """sha256 of the raw body."""
    attempt: int
    """How many requests with the same body came before."""
    raw: bytes = b""
    came: float = field(default_factory=time.monotonic)
    """When; a reply takes its time from here, whatever else the server has to do meanwhile."""


Script = Callable[[Received], Act]


def always(act: Act) -> Script:
    """The same for every request."""
    return lambda _received: act


def in_turn(*acts: Act) -> Script:
    """One act per request with the same body, the last one from then on."""
    return lambda received: acts[min(received.attempt, len(acts) - 1)]


def with_faults(share: float, seed: int, first_attempts: int = 3) -> Script:
    """Faults of every kind for this share of requests, drawn from body, attempt and seed; none after some attempts."""
    faults: list[Act] = [
        Status(429, {"retry-after": "0.02"}),
        Status(429),
        Status(500),
        Status(503),
        CutOff(),
        Reset(),
        Junk(b'{"id": "x", "choices": ['),
        Junk(b'{"id": "x", "object": "chat.completion"}'),
    ]

    def script(received: Received) -> Act:
        draw = int.from_bytes(sha256(f"{seed} {received.attempt} {received.fingerprint}".encode()).digest()[:8], "big")
        if received.attempt >= first_attempts or draw / 2**64 >= share:
            return Answer()
        return faults[draw % len(faults)]

    return script


def made_up(fingerprint: str) -> str:
    """An answer with no specifics: words drawn from the fingerprint, so that no two are near-duplicates."""
    words = ["account", "card", "transfer", "payment", "order", "refund", "delivery", "settings", "statement", "balance",
             "branch", "limit", "password", "device", "address", "receipt"]  # fmt: skip
    chosen = [words[int(digit, 16)] for digit in fingerprint[:14]]
    return f"Thank you for asking. Please open the {' '.join(chosen[:7])} page and choose {' '.join(chosen[7:])} there."


class LlmServer:
    """The server, in a thread of its own; stops with the `with` block."""

    def __init__(
        self,
        script: Script | None = None,
        latency_seconds: float = 0.0,
        *,
        idempotent: bool = True,
        model: str | None = None,
        tls: ssl.SSLContext | None = None,
        paths: Iterable[str] = ("/v1/chat/completions", "/v1/embeddings"),
    ) -> None:
        self.script = script or always(Answer())
        self.latency_seconds = latency_seconds
        self.idempotent = idempotent
        self.model = model
        self.tls = tls
        self.paths = frozenset(paths)
        self.received: list[Received] = []
        self.keeps_bodies = True
        self.files: dict[str, list[bytes]] = {}
        self.batches: dict[str, dict[str, Any]] = {}
        self.polls_per_batch = 1
        self.spell: Callable[[str], str] = str
        """How the state of a batch is written."""
        self.mangle: Callable[[list[bytes]], list[bytes]] = list
        """What becomes of the lines of a batch's output file."""
        self.billed: Counter[str] = Counter()
        """How often an answer to this body was billed."""
        self.billed_tokens = Counter[str]()
        self.open_now = 0
        self.most_open = 0
        self.port = 0
        self._attempts: Counter[str] = Counter()
        self._given: dict[str, bytes] = {}
        self._in_work: set[str] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self.start(), self._loop).result()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        asyncio.run_coroutine_threadsafe(self.stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def start(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._server = await asyncio.get_running_loop().create_server(
            lambda: _Connection(self), "127.0.0.1", self.port, ssl=self.tls
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def answer(self, received: Received, transport: asyncio.Transport) -> None:
        self.open_now += 1
        self.most_open = max(self.most_open, self.open_now)
        try:
            if received.path == "/meter":
                _respond(transport, 200, json.dumps(self.meter()).encode())
            elif received.path.startswith(("/v1/files", "/v1/batches")):
                _respond(transport, 200, self._desk(received))
            elif received.path.partition("?")[0] in self.paths:
                await self._complete(received, transport)
            else:
                _respond(transport, 404, b'{"error": {"message": "no such path"}}')
        finally:
            self.open_now -= 1

    async def _complete(self, received: Received, transport: asyncio.Transport) -> None:
        key = received.headers.get("idempotency-key", "")
        if self.idempotent and key:
            # as Stripe has it: a second request waits for what becomes of the first
            while key in self._in_work:  # noqa: ASYNC110  # rare
                await asyncio.sleep(0.005)
            if key in self._given:
                _respond(transport, 200, self._given[key])
                return
            self._in_work.add(key)
        try:
            await self._act(received, key, transport)
        finally:
            self._in_work.discard(key)

    async def _act(self, received: Received, key: str, transport: asyncio.Transport) -> None:  # noqa: C901  # a case per act
        act = self.script(received)
        match act:
            case Answer():
                pause = self.latency_seconds if act.after_seconds is None else act.after_seconds
                if pause:
                    await asyncio.sleep(received.came + pause - time.monotonic())
                body = self._bill(received, act, key)
                _respond(transport, 200, body)
            case Status():
                body = json.dumps({"error": {"message": act.message}}).encode() if act.body is None else act.body
                _respond(transport, act.code, body, act.headers)
            case Hang():
                self._in_work.discard(key)
                await asyncio.sleep(3600)
            case Drip():
                transport.write(_head(200, None, {"transfer-encoding": "chunked"}))
                for byte in self._bill(received, Answer(), key):
                    transport.write(b"1\r\n%c\r\n" % byte)
                    await asyncio.sleep(act.seconds_between)
            case Chunked():
                body = self._bill(received, Answer(act.text), key)
                transport.write(_head(200, None, {"transfer-encoding": "chunked"}))
                for some in (body[:20], body[20:], b""):
                    transport.write(b"%x\r\n%b\r\n" % (len(some), some))
                    await asyncio.sleep(0.01)
                transport.close()
            case CutOff():
                body = self._bill(received, Answer(), key)
                transport.write(_head(200, len(body), {}) + body[: len(body) // 2])
                transport.close()
            case Reset():
                transport.abort()
            case Junk():
                _respond(transport, 200, act.body, {"content-type": act.content_type})

    def _desk(self, received: Received) -> bytes:
        """The files and batches endpoints; a batch is done when it was asked for `polls_per_batch` times."""
        place = received.path.removeprefix("/v1/").split("?")[0].split("/")
        match received.method, *place:
            case "POST", "files":
                content = (
                    received.raw.split(b"application/octet-stream\r\n\r\n")[-1]
                    if b"octet-stream" in received.raw
                    else received.raw
                )
                lines = [line for line in content.replace(b"\r\n", b"\n").split(b"\n") if line.startswith(b'{"custom_id"')]
                return json.dumps(self._file(lines)).encode()
            case "POST", "batches":
                batch = {
                    "id": f"batch-{len(self.batches)}",
                    "object": "batch",
                    "status": "in_progress",
                    "polls": 0,
                    **received.body,
                }
                batch |= {"created_at": 0, "endpoint": "/v1/chat/completions", "completion_window": "24h"}
                self.batches[str(batch["id"])] = batch
                return json.dumps(batch | {"status": self.spell(batch["status"])}).encode()
            case "GET", "batches":
                return json.dumps({"object": "list", "data": list(self.batches.values()), "has_more": False}).encode()
            case "GET", "batches", batch_id:
                batch = self.batches[batch_id]
                batch["polls"] += 1
                if batch["status"] == "in_progress" and batch["polls"] >= self.polls_per_batch:
                    self._finish(batch)
                return json.dumps(batch | {"status": self.spell(batch["status"])}).encode()
            case "GET", "files", file_id, "content":
                return b"\n".join(self.files[file_id]) + b"\n"
        return b"{}"

    def _file(self, lines: list[bytes]) -> dict[str, Any]:
        file_id = f"file-{len(self.files)}"
        self.files[file_id] = lines
        return {
            "id": file_id,
            "object": "file",
            "bytes": 1,
            "created_at": 0,
            "filename": "f",
            "purpose": "batch",
            "status": "processed",
        }

    def _finish(self, batch: dict[str, Any]) -> None:
        good, bad = list[bytes](), list[bytes]()
        for line in self.files[batch["input_file_id"]]:
            item = json.loads(line)
            received = self.take("POST", "batch", {}, json.dumps(item["body"]).encode())
            act = self.script(received)
            if isinstance(act, Answer):
                body = json.loads(self._bill(received, act, ""))
                good.append(_result(item["custom_id"], 200, body))
            elif isinstance(act, Status):
                bad.append(_result(item["custom_id"], act.code, {"error": {"message": act.message}}))
            elif isinstance(act, Junk):
                good.append(act.body)
        batch["status"] = "completed" if len(good) + len(bad) == len(self.files[batch["input_file_id"]]) else "expired"
        batch["output_file_id"] = self._file(self.mangle(good))["id"] if good else None
        batch["error_file_id"] = self._file(bad)["id"] if bad else None

    def _bill(self, received: Received, act: Answer, key: str) -> bytes:
        text = act.text
        if text is None:
            text = made_up(received.fingerprint)
            if received.body.get("response_format"):
                text = json.dumps({"answer": text, "needs_human": False, "cited_ids": []})
        prompt_tokens = sum(len(message["content"]) for message in received.body["messages"]) // CHARACTERS_PER_TOKEN
        completion_tokens = act.completion_tokens or max(1, len(text) // CHARACTERS_PER_TOKEN)
        self.billed[received.fingerprint] += 1
        self.billed_tokens["input"] += prompt_tokens
        self.billed_tokens["output"] += completion_tokens
        body = json.dumps(
            {
                "id": f"chatcmpl-{received.fingerprint[:12]}",
                "object": "chat.completion",
                "created": 1767600000,
                "model": self.model or received.body["model"],
                "choices": [
                    {
                        "index": 0,
                        "finish_reason": act.finish_reason,
                        "message": {"role": "assistant", "content": None if act.refusal else text, "refusal": act.refusal},
                    }
                ],
                "usage": {
                    "prompt_tokens": prompt_tokens,
                    "completion_tokens": completion_tokens,
                    "total_tokens": prompt_tokens + completion_tokens,
                },
            }
        ).encode()
        if self.idempotent and key:
            self._given[key] = body
        return body

    def take(self, method: str, path: str, headers: Mapping[str, str], raw: bytes) -> Received:
        """Note one request."""
        fingerprint = sha256(raw).hexdigest()
        try:
            body = json.loads(raw) if raw else None
        except ValueError:
            body = None
        received = Received(method, path, headers, body, fingerprint, self._attempts[fingerprint], raw)
        if path != "/meter":
            self._attempts[fingerprint] += 1
            if self.keeps_bodies:
                self.received.append(received)
        return received

    def meter(self) -> dict[str, Any]:
        """What was received and billed so far."""
        return {
            "requests": sum(self._attempts.values()),
            "bodies": len(self._attempts),
            "billed": sum(self.billed.values()),
            "billed_twice": sum(count > 1 for count in self.billed.values()),
            "input_tokens": self.billed_tokens["input"],
            "output_tokens": self.billed_tokens["output"],
            "most_open": self.most_open,
        }


class _Connection(asyncio.Protocol):
    """HTTP/1.1 with Content-Length and keep-alive, one request at a time: what the client of a language model sends."""

    def __init__(self, server: LlmServer) -> None:
        self._server = server
        self._buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        first, *lines = bytes(self._buffer[:end]).decode("latin-1").split("\r\n")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", "0"))
        if len(self._buffer) < end + 4 + length:
            return
        raw = bytes(self._buffer[end + 4 : end + 4 + length])
        del self._buffer[: end + 4 + length]
        method, path, _ = first.split(" ")
        self._server.spawn(self._server.answer(self._server.take(method, path, headers, raw), self._transport))


def _result(custom_id: str, status: int, body: Any) -> bytes:
    return json.dumps(
        {"id": "r", "custom_id": custom_id, "response": {"status_code": status, "body": body}, "error": None}
    ).encode()


def _head(status: int, length: int | None, headers: Mapping[str, str]) -> bytes:
    lines = {"content-type": "application/json", **({} if length is None else {"content-length": str(length)}), **headers}
    fields = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status} X\r\n{fields}\r\n".encode("latin-1")


def _respond(transport: asyncio.Transport, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
    transport.write(_head(status, len(body), headers or {}) + body)


async def _serve(server: LlmServer) -> None:
    await server.start()
    print(server.base_url, flush=True)  # noqa: T201  # how the parent process learns the port
    await asyncio.Event().wait()


def main(arguments: Iterable[str] | None = None) -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--faults", type=float, default=0.0, help="share of requests that go wrong")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--forgetful", action="store_true", help="do not honour Idempotency-Key")
    given = parser.parse_args(list(arguments) if arguments is not None else None)
    script = with_faults(given.faults, given.seed) if given.faults else None
    server = LlmServer(script, given.latency, idempotent=not given.forgetful)
    server.keeps_bodies = False
    server.port = given.port
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(server))


if __name__ == "__main__":
    main()
