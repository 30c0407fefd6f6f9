"""Ask a model: compose, look among the replies that were paid for, send the rest, read.

Pure before, pure after, paid once. Requests run side by side in one event loop; what comes back is put where it belongs
by key, so the order of replies changes nothing.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from pipeline.answering.pace import Pace
from pipeline.answering.provider_params import PaceParams, PromptParams, Settings
from pipeline.answering.replies import Replies
from pipeline.answering.request import Answer, Answerer, Candidates, Choice, Gap, Message, Question, Reply, Request, Turn
from pipeline.answering.spending import Account, Amount
from pipeline.errors import CurationError, EndpointError, Overloaded, ProviderError
from pipeline.prompts import Prompt, load_prompt
from pipeline.tokens import counter

Ask = Callable[[Request], Awaitable[Reply]]
"""Sends one request. Raises Overloaded when it is worth a retry, EndpointError when no request is, else ProviderError."""

Replied = Mapping[str, Reply | Gap]
"""What became of every request, by its key."""

Fetch = Callable[[Mapping[str, Request]], Replied]
"""Gets a reply or a gap for every request, by its key, from wherever it is."""

ROLES: Final = {"customer": "user", "agent": "assistant", "bot": "assistant"}

FAULTS: Final = {"length": "cut_off", "content_filter": "refused", "refusal": "refused"}
"""Why a reply is no answer, by its finish reason."""

ENCODING: Final = "o200k_base"

SCHEMA: Final = {
    "type": "json_schema",
    "json_schema": {
        "name": "answer",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {
                "answer": {"type": "string"},
                "needs_human": {"type": "boolean"},
                "cited_ids": {"type": "array", "items": {"type": "integer"}},
            },
            "required": ["answer", "needs_human", "cited_ids"],
            "additionalProperties": False,
        },
    },
}
"""OpenAI API reference, "Structured outputs" (read November 2026)."""

HAND_OVER: Final = "hand_over"
"""Stands for the model where the text comes from params."""


@dataclass(frozen=True)
class Unreadable:
    """A reply that is not the JSON it should be."""

    choice: Choice


def ask_each(provider: str, endpoint: str, settings: Settings, fetch: Fetch) -> Answerer:
    """An answerer that asks a model.

    Args:
        provider: name of the provider, recorded with every answer.
        endpoint: where requests go; part of the cache key.
        settings: prompt and model.
        fetch: gets the replies.
    """

    def answer(questions: Sequence[Question]) -> Sequence[Candidates | Gap]:
        prompt = load_prompt(settings.prompt.name)
        asked = {
            place: compose(question, prompt, endpoint, settings)
            for place, question in enumerate(questions)
            if question.hits or settings.prompt.without_grounding == "ask"
        }
        replied = _fetch_by_place(asked, fetch)
        read = {place: _read(replied[place], questions[place], provider, prompt, settings) for place in asked}
        repairs = {place: _repair(asked[place], given.choice) for place, given in read.items() if isinstance(given, Unreadable)}
        for place, reply in _fetch_by_place(repairs, fetch).items():
            read[place] = _read(reply, questions[place], provider, prompt, settings)
        return [
            _settled(read[place]) if place in read else _ungrounded(provider, settings.prompt) for place in range(len(questions))
        ]

    return answer


def _fetch_by_place(requests: Mapping[int, Request], fetch: Fetch) -> dict[int, Reply | Gap]:
    keys = {place: request.key for place, request in requests.items()}
    replied = fetch({keys[place]: request for place, request in requests.items()}) if requests else {}
    return {place: replied[key] for place, key in keys.items()}


def _settled(read: Candidates | Gap | Unreadable) -> Candidates | Gap:
    return Gap("unreadable_reply") if isinstance(read, Unreadable) else read


def _ungrounded(provider: str, prompt: PromptParams) -> Candidates | Gap:
    if prompt.without_grounding == "leave":
        return Gap("ungrounded")
    return (Answer(prompt.hand_over_text, provider, HAND_OVER, None, ()),)


def compose(question: Question, prompt: Prompt, endpoint: str, settings: Settings) -> Request:
    """The request for one question: instructions and knowledge first, then the turns so far."""
    said = settings.prompt
    instructions = prompt.render(
        language=said.language or question.language,
        tone=said.tone,
        max_words=said.max_words,
        rules=said.rules,
        as_json=settings.model.output != "text",
        hits=question.hits,
    )
    messages = [Message("system", instructions)]
    for turn in shorten(question.turns, said.max_input_tokens):
        role = ROLES.get(turn.speaker, "user")
        text = turn.text if turn.speaker in ROLES else f"[{turn.speaker}] {turn.text}"
        if messages[-1].role == role:
            messages[-1] = Message(role, f"{messages[-1].content}\n\n{text}")
        else:
            messages.append(Message(role, text))
    model = settings.model
    extra: dict[str, Any] = dict(model.extra)
    if model.output == "json_schema":
        extra["response_format"] = SCHEMA
    if model.candidates > 1:
        extra["n"] = model.candidates
    return Request(
        endpoint, model.name, tuple(messages), model.temperature, model.max_tokens, model.length_field, model.seed, extra
    )


def shorten(turns: Sequence[Turn], max_tokens: int) -> Sequence[Turn]:
    """As many turns as fit: the first customer turn and the last run of customer turns first, then from the end backwards."""
    if sum(len(turn.text.encode("utf-8", "surrogatepass")) for turn in turns) <= max_tokens:  # no token is less than a byte
        return turns
    count = counter(ENCODING)
    lengths = [count(turn.text.encode("utf-8", "replace").decode()) for turn in turns]
    customers = [place for place, turn in enumerate(turns) if turn.speaker == "customer"]
    last_other = max(
        (place for place, turn in enumerate(turns) if turn.speaker != "customer" and place < customers[-1]), default=-1
    )
    stays = {customers[0], *(place for place in customers if place > last_other)}
    room = max_tokens - sum(lengths[place] for place in stays)
    for place in reversed(range(len(turns))):
        if place not in stays:
            if lengths[place] > room:
                break
            stays.add(place)
            room -= lengths[place]
    return [turn for place, turn in enumerate(turns) if place in stays]


def _repair(request: Request, bad: Choice) -> Request:
    more = (Message("assistant", bad.text or "…"), Message("user", load_prompt("repair").render()))
    return replace(request, messages=(*request.messages, *more))


def _read(
    reply: Reply | Gap, question: Question, provider: str, prompt: Prompt, settings: Settings
) -> Candidates | Gap | Unreadable:
    if isinstance(reply, Gap):
        return reply
    read = [_read_choice(choice, reply.model, question, provider, prompt, settings) for choice in reply.choices]
    if good := tuple(each for each in read if isinstance(each, Answer)):
        return good
    return next((each for each in read if isinstance(each, Unreadable)), read[0])  # type: ignore[return-value]  # no Answer is left


def _read_choice(
    choice: Choice, model: str, question: Question, provider: str, prompt: Prompt, settings: Settings
) -> Answer | Gap | Unreadable:
    if fault := FAULTS.get(choice.finish_reason):
        return Gap(fault, choice.finish_reason)
    text, grounding = choice.text.strip(), question.hits
    if text and settings.model.output != "text":
        try:
            written = json.loads(text)
            text, needs_human, cited = written["answer"], written["needs_human"], written["cited_ids"]
            if not (isinstance(text, str) and isinstance(needs_human, bool) and all(type(each) is int for each in cited)):
                return Unreadable(choice)
        except (ValueError, TypeError, LookupError):
            return Unreadable(choice)
        if needs_human and settings.prompt.needs_human == "leave":
            return Gap("needs_human")
        if any(not 1 <= each <= len(question.hits) for each in cited):
            return Gap("unknown_citation", str(len(cited)))
        text, grounding = text.strip(), tuple(question.hits[each - 1] for each in dict.fromkeys(cited))
    return Answer(text, provider, model, prompt.version, grounding) if text else Gap("empty_reply")


def fetch_with(settings: Settings, open_ask: Callable[[], tuple[Ask, Callable[[], Awaitable[None]]]]) -> Fetch:
    """Fetch from the kept replies, and what is not there by sending it.

    Args:
        settings: pace, budget, and where replies are kept.
        open_ask: called inside the event loop when something has to be sent; gives the function that sends, and one that
            closes the connection after the last request.
    """

    def fetch(requests: Mapping[str, Request]) -> Replied:
        with Replies(settings.replies) as replies:
            account = Account(replies.connection, settings.budget, settings.prices, settings.model.name)
            got: dict[str, Reply | Gap] = {**replies.find(list(requests))}
            missing = {key: request for key, request in requests.items() if key not in got}
            if missing and settings.replay:
                raise ProviderError(f"generate: {len(missing)} of {len(requests)} replies are not kept, and replay sends nothing")
            if missing:
                got |= asyncio.run(_send_all(missing, open_ask, replies, account, settings.pace))
        return got

    return fetch


async def _send_all(
    missing: Mapping[str, Request],
    open_ask: Callable[[], tuple[Ask, Callable[[], Awaitable[None]]]],
    replies: Replies,
    account: Account,
    pace: PaceParams,
) -> dict[str, Reply | Gap]:
    ask, close = open_ask()
    try:
        return await _Dispatch(missing, ask, replies, account, pace).run()
    finally:
        await close()


class _Dispatch:
    """Sends every request of one part, some at once, until each has a reply or a gap."""

    def __init__(self, missing: Mapping[str, Request], ask: Ask, replies: Replies, account: Account, params: PaceParams) -> None:
        self._waiting = iter(missing.items())
        self._ask, self._replies, self._account, self._params = ask, replies, account, params
        self._pace = Pace(params)
        self._got: dict[str, Reply | Gap] = {}
        self._workers = min(params.concurrency, len(missing))
        self._failures_in_a_row = 0
        self._stopped_by: CurationError | None = None
        self._holding = 0
        self._room = asyncio.Event()

    async def run(self) -> dict[str, Reply | Gap]:
        """Every request's reply or gap.

        Raises:
            EndpointError: no request would succeed.
            BudgetReached: a cap leaves no room for the next request.
                In both cases what was under way is waited for and kept first.
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
                self._stop(error)
            if self._stopped_by:
                return

    def _stop(self, error: CurationError) -> None:
        self._stopped_by = self._stopped_by or error
        self._room.set()

    async def _send(self, key: str, request: Request) -> Reply | Gap:
        fault = ""
        for attempt in range(self._params.max_attempts):
            try:
                return await self._try(key, request)
            except Overloaded as error:
                fault = str(error)
                self._count_failure(request, fault)
                if attempt + 1 < self._params.max_attempts and not self._stopped_by:
                    await asyncio.sleep(self._wait_seconds(key, attempt, error.wait_seconds))
            except EndpointError as error:
                raise EndpointError(f"generate: {request.endpoint} {error}; correct generate.openai or the key") from None
            except ProviderError as error:
                return Gap("provider_error", str(error), may_pass=True)
            if self._stopped_by:
                break
        return Gap("provider_error", fault, may_pass=True)

    async def _try(self, key: str, request: Request) -> Reply:
        await self._pace.enter(request)
        try:
            worst = await self._reserve(request)
            try:
                reply = await self._ask(request)
                with self._replies.together():
                    self._account.settle(worst, reply)
                    self._replies.keep(key, reply)
            except ProviderError as error:
                if not (isinstance(error, Overloaded) and error.may_be_billed):
                    self._account.release(worst)
                if isinstance(error, Overloaded) and error.is_throttle:
                    self._pace.narrow(error.wait_seconds)
                raise
            finally:
                self._holding -= 1
                self._room.set()
            self._failures_in_a_row = 0
            self._pace.widen()
            return reply
        finally:
            self._pace.leave()

    async def _reserve(self, request: Request) -> Amount:
        worst = self._account.worst(request)
        while not self._account.reserve(worst):
            if self._stopped_by:
                raise self._stopped_by
            if not self._holding:
                raise self._account.reached()
            # what is under way costs less than its worst: room may come
            self._room.clear()
            await self._room.wait()
        self._holding += 1
        return worst

    def _count_failure(self, request: Request, fault: str) -> None:
        self._failures_in_a_row += 1
        if self._failures_in_a_row >= self._params.max_failures_in_a_row and not self._stopped_by:
            self._stop(
                EndpointError(
                    f"generate: {request.endpoint} failed {self._failures_in_a_row} times in a row, the last time with {fault}; "
                    "run again when it answers, the replies so far are kept"
                )
            )

    def _wait_seconds(self, key: str, attempt: int, asked: float | None) -> float:
        if asked is not None:
            return min(asked, self._params.max_wait_seconds)
        # the requests of one burst come back apart; by key, so that no random number is needed
        spread = 0.5 + int(key[:4], 16) / 0xFFFF / 2
        return min(self._params.first_wait_seconds * 2.0**attempt, self._params.max_wait_seconds) * spread
