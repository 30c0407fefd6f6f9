"""Ask a model: compose, look among the replies that were paid for, send the rest, read.

Pure before, pure after, paid once. Requests run side by side in one event loop; what comes back is put where it belongs
by key, so the order of replies changes nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from pipeline.errors import CurationError, EndpointError, Overloaded, ProviderError
from pipeline.prompts import Prompt, load_prompt
from pipeline.providers.settings import PaceParams, Settings
from pipeline.replies import Replies
from pipeline.request import Answer, Answerer, Gap, Message, Question, Reply, Request

Ask = Callable[[Request], Awaitable[Reply]]
"""Sends one request. Raises Overloaded when it is worth a retry, EndpointError when no request is, else ProviderError."""

ROLES: Final = {"customer": "user", "agent": "assistant", "bot": "assistant"}

FAULTS: Final = {"length": "cut_off", "content_filter": "refused", "refusal": "refused"}
"""Why a reply is no answer, by its finish reason."""


def ask_each(
    provider: str,
    endpoint: str,
    settings: Settings,
    ask: Ask | None = None,
    *,
    open_ask: Callable[[], tuple[Ask, Any]] | None = None,
) -> Answerer:
    """An answerer that asks a model.

    Args:
        provider: name of the provider, recorded with every answer.
        endpoint: where requests go; part of the cache key.
        settings: prompt, model, pace, and where replies are kept.
        ask: sends one request; or
        open_ask: called inside the event loop, gives that function and a client to close.
    """

    def answer(questions: Sequence[Question]) -> Sequence[Answer | Gap]:
        prompt = load_prompt(settings.prompt.name)
        requests = [compose(question, prompt, endpoint, settings) for question in questions]
        keys = [request.key() for request in requests]
        by_key = dict(zip(keys, requests, strict=True))
        with Replies(settings.replies) as replies:
            got: dict[str, Reply | Gap] = {**replies.find(list(by_key))}
            missing = {key: request for key, request in by_key.items() if key not in got}
            if missing:
                got |= asyncio.run(_send_all(missing, ask, open_ask, replies, settings.pace))
        return [_read(got[key], question, provider, prompt) for key, question in zip(keys, questions, strict=True)]

    return answer


def compose(question: Question, prompt: Prompt, endpoint: str, settings: Settings) -> Request:
    """The request for one question: instructions and knowledge first, then every turn so far."""
    instructions = prompt.render(
        language=settings.prompt.language or question.language,
        tone=settings.prompt.tone,
        max_words=settings.prompt.max_words,
        hits=question.hits,
    )
    messages = [Message("system", instructions)]
    for turn in question.turns:
        role = ROLES.get(turn.speaker, "user")
        text = turn.text if turn.speaker in ROLES else f"[{turn.speaker}] {turn.text}"
        if messages[-1].role == role:
            messages[-1] = Message(role, f"{messages[-1].content}\n\n{text}")
        else:
            messages.append(Message(role, text))
    model = settings.model
    return Request(endpoint, model.name, tuple(messages), model.temperature, model.max_tokens, model.seed, model.extra)


def _read(reply: Reply | Gap, question: Question, provider: str, prompt: Prompt) -> Answer | Gap:
    if isinstance(reply, Gap):
        return reply
    if fault := FAULTS.get(reply.finish_reason):
        return Gap(fault, reply.finish_reason)
    text = reply.text.strip()
    if not text:
        return Gap("empty_reply")
    return Answer(text, provider, reply.model, prompt.version, question.hits)


async def _send_all(
    missing: dict[str, Request],
    ask: Ask | None,
    open_ask: Callable[[], tuple[Ask, Any]] | None,
    replies: Replies,
    pace: PaceParams,
) -> dict[str, Reply | Gap]:
    client = None
    if ask is None:
        assert open_ask is not None
        ask, client = open_ask()
    try:
        return await _Dispatch(missing, ask, replies, pace).run()
    finally:
        if client is not None:
            await client.close()


class _Dispatch:
    """Sends every request of one part, some at once, until each has a reply or a gap."""

    def __init__(self, missing: dict[str, Request], ask: Ask, replies: Replies, pace: PaceParams) -> None:
        self._waiting = iter(missing.items())
        self._ask, self._replies, self._pace = ask, replies, pace
        self._got: dict[str, Reply | Gap] = {}
        self._workers = min(pace.concurrency, len(missing))
        self._failures_in_a_row = 0
        self._stopped_by: CurationError | None = None

    async def run(self) -> dict[str, Reply | Gap]:
        """Every request's reply or gap.

        Raises:
            EndpointError: no request would succeed; what was under way is waited for and kept first.
        """
        await asyncio.gather(*(self._work() for _ in range(self._workers)))
        if self._stopped_by:
            raise self._stopped_by
        return self._got

    async def _work(self) -> None:
        for key, request in self._waiting:
            try:
                self._got[key] = await self._send(key, request)
            except CurationError as error:
                self._stopped_by = self._stopped_by or error
            if self._stopped_by:
                return

    async def _send(self, key: str, request: Request) -> Reply | Gap:
        fault = ""
        for attempt in range(self._pace.max_attempts):
            try:
                reply = await self._ask(request)
            except Overloaded as error:
                fault = str(error)
                self._count_failure(request, fault)
                if attempt + 1 < self._pace.max_attempts and not self._stopped_by:
                    await asyncio.sleep(self._wait_seconds(key, attempt, error.wait_seconds))
            except EndpointError as error:
                raise EndpointError(f"generate: {request.endpoint} {error}; correct generate.openai or the key") from None
            except ProviderError as error:
                return Gap("provider_error", str(error), may_pass=True)
            else:
                self._failures_in_a_row = 0
                self._replies.keep(key, reply)
                return reply
            if self._stopped_by:
                break
        return Gap("provider_error", fault, may_pass=True)

    def _count_failure(self, request: Request, fault: str) -> None:
        self._failures_in_a_row += 1
        if self._failures_in_a_row >= self._pace.max_failures_in_a_row and not self._stopped_by:
            self._stopped_by = EndpointError(
                f"generate: {request.endpoint} failed {self._failures_in_a_row} times in a row, the last time with {fault}; "
                "run again when it answers, the replies so far are kept"
            )

    def _wait_seconds(self, key: str, attempt: int, asked: float | None) -> float:
        pace = self._pace
        if asked is not None:
            return min(asked, pace.max_wait_seconds)
        # the requests of one burst come back apart; by key, so that no random number is needed
        spread = 0.5 + int(key[:4], 16) / 0xFFFF / 2
        return min(pace.first_wait_seconds * 2.0**attempt, pace.max_wait_seconds) * spread
