"""Get replies: look among those that were paid for, send the rest, some at once, each paid for once.

Every question is a dialogue: a generator that yields a request, is sent its reply or gap, and returns what became of the
question. Whoever drives it decides where replies come from. Dialogues run side by side in one event loop. What is between
two requests, composing one and judging what came back, is done for one dialogue at a time and a few requests ahead, while
others are under way: a reply makes room for the next request at once, and waits its turn.
"""

import asyncio
import gc
from collections.abc import Awaitable, Callable, Generator, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, Final, Generic, Protocol, TypeVar

from pipeline.answering.pace import Pace
from pipeline.answering.provider_params import PaceParams, Settings
from pipeline.answering.replies import Replies
from pipeline.answering.request import Gap, Reply, Request
from pipeline.answering.spending import Account, Amount
from pipeline.errors import CurationError, EndpointError, Overloaded, PromptTooLongError, ProviderError

T = TypeVar("T")

Ask = Callable[[Request], Awaitable[Reply]]
"""Sends one request. Raises Overloaded when it is worth a retry, EndpointError when no request is, else ProviderError."""

Open = Callable[[], tuple[Ask, Callable[[], Awaitable[None]]]]
"""Gives, inside the event loop, the function that sends, and one that closes the connections."""

Dialogue = Generator[Request, Reply | Gap, T]
"""The requests of one question, one after the other; returns what became of it."""


MOST_AHEAD: Final = 1_000
"""Requests that wait to be sent, and replies that wait to be judged, while what judges them is not ready."""


class Fetch(Protocol):
    """Leads every dialogue to its end; gives what they returned, in their order."""

    def __call__(self, dialogues: Iterable[Dialogue[T]], /) -> list[T]:
        """Lead them."""


POLL_SECONDS: Final = 0.1
"""Between two looks at what another process is asking for, or another thread is making ready."""


def fetch_with(settings: Settings, open_ask: Open, get_ready: Callable[[], Future[Any]]) -> Fetch:
    """Fetch from the kept replies, and what is not there by sending it.

    Args:
        settings: pace, budget, and where replies are kept.
        open_ask: called once something has to be sent.
        get_ready: called then; no reply is judged before what it gives is done, and requests leave meanwhile.
    """

    def fetch(dialogues: Iterable[Dialogue[T]]) -> list[T]:
        with Replies(settings.replies) as replies:
            account = Account(replies.connection, settings.budget, settings.prices, *models_of(settings))
            waiting = enumerate(dialogues)
            ended: dict[int, T] = {}
            missing = asked = 0
            for number, dialogue in waiting:
                step = run_on(dialogue, replies, None)
                while isinstance(step, Request) and settings.replay:
                    missing += 1
                    step = run_on(dialogue, replies, Gap("not_kept"))
                asked += 1
                if isinstance(step, Request):
                    begun = _Begun(number, dialogue, step)
                    all_begun, is_ready = chain([begun], _begin(waiting)), get_ready()
                    asyncio.run(_send_all(all_begun, ended, is_ready, open_ask, replies, account, settings.pace))
                else:
                    ended[number] = step.value
            if missing:
                raise ProviderError(f"generate: {missing} of {asked} replies are not kept, and replay sends nothing")
        return [ended[number] for number in sorted(ended)]

    return fetch


def models_of(settings: Settings) -> tuple[str, ...]:
    """The models that these params send requests to."""
    judge = settings.judge.model if settings.judge else None
    embedding = settings.embedding.model if settings.embedding else None
    return tuple(model for model in (settings.model.name, judge, embedding) if model)


@dataclass(frozen=True)
class Ended(Generic[T]):
    """The end of a dialogue."""

    value: T


def run_on(dialogue: Dialogue[T], replies: Replies, said: Reply | Gap | None) -> Request | Ended[T]:
    """Lead a dialogue on with what was said, and with kept replies, up to a request whose reply is not kept, or to its end."""
    try:
        request = next(dialogue) if said is None else dialogue.send(said)
        while kept := replies.find(request.key):
            request = dialogue.send(kept)
    except StopIteration as end:
        return Ended(end.value)
    return request


@dataclass(frozen=True)
class _Begun(Generic[T]):
    number: int
    dialogue: Dialogue[T]
    request: Request | None
    """What it waits for; None: not started."""


def _begin(dialogues: Iterator[tuple[int, Dialogue[T]]]) -> Iterator[_Begun[T]]:
    return (_Begun(number, dialogue, None) for number, dialogue in dialogues)


async def _send_all(
    begun: Iterator[_Begun[T]],
    ended: dict[int, T],
    is_ready: Future[Any],
    open_ask: Open,
    replies: Replies,
    account: Account,
    pace: PaceParams,
) -> None:
    ask, close = open_ask()
    gc.freeze()  # what is there already is no garbage; to look through it takes 80 ms, in which nothing is sent
    try:
        await _Dispatch(begun, ended, is_ready, ask, replies, account, pace).run()
    finally:
        gc.unfreeze()
        await close()


class _Dispatch:
    """Sends the requests of dialogues, some at once, until each has ended."""

    def __init__(
        self,
        begun: Iterator[_Begun[Any]],
        ended: dict[int, Any],
        is_ready: Future[Any],
        ask: Ask,
        replies: Replies,
        account: Account,
        params: PaceParams,
    ) -> None:
        self._waiting, self._ended = begun, ended
        self._ready = asyncio.Queue[_Begun[Any] | None]()
        """Dialogues that have a request to send; None: there will be no more."""
        self._answered = asyncio.Queue[tuple[_Begun[Any], Reply | Gap] | None]()
        """Dialogues to be led on; None: look up, nothing goes on."""
        self._open = 0
        self._is_ready = is_ready
        self._ask, self._account, self._params = ask, account, params
        self._replies = replies
        self._pace = Pace(params)
        self._shared: dict[str, asyncio.Future[Reply | Gap]] = {}
        self._failures_in_a_row = 0
        self._stopped_by: CurationError | None = None
        self._holding = 0
        self._room = asyncio.Event()
        self._unkept: list[tuple[str, Amount, Reply]] = []
        """What was paid just now; goes into one transaction with whatever is written next."""

    async def run(self) -> None:
        """Lead every dialogue to its end.

        Raises:
            EndpointError: no request would succeed.
            BudgetReached: a cap leaves no room for the next request.
                In both cases what was under way is waited for and kept first.
        """
        await asyncio.gather(self._lead(), *(self._work() for _ in range(self._params.concurrency)))
        self._keep()
        if self._stopped_by:
            raise self._stopped_by

    async def _lead(self) -> None:
        """Lead dialogues on, one after the other; new ones are begun first while there is not a request ready for every place."""
        places = self._params.concurrency
        while not self._stopped_by:
            room = places if self._is_ready.done() else MOST_AHEAD
            has_room = self._ready.qsize() < room and self._answered.qsize() < MOST_AHEAD
            if has_room and (begun := next(self._waiting, None)):
                self._open += 1
                self._go_on(begun, None)
            elif self._open and not self._is_ready.done():
                await asyncio.sleep(POLL_SECONDS)
            elif self._open:
                if answered := await self._answered.get():
                    self._go_on(*answered)
            else:
                break
            await asyncio.sleep(0)  # what came in meanwhile comes first
        for _ in range(places):
            self._ready.put_nowait(None)

    def _go_on(self, begun: _Begun[Any], said: Reply | Gap | None) -> None:
        try:
            step = begun.request if said is None and begun.request else run_on(begun.dialogue, self._replies, said)
        except CurationError as error:
            self._stop(error)
            return
        if isinstance(step, Request):
            self._ready.put_nowait(replace(begun, request=step))
        else:
            self._ended[begun.number] = step.value
            self._open -= 1

    async def _work(self) -> None:
        """One place: send what is ready, one request after the other."""
        while (begun := await self._ready.get()) and not self._stopped_by:
            assert begun.request is not None
            try:
                self._answered.put_nowait((begun, await self._get(begun.request)))
            except CurationError as error:
                self._stop(error)

    async def _get(self, request: Request) -> Reply | Gap:
        """The reply to one request; equal ones are sent once."""
        if shared := self._shared.get(request.key):
            return await shared
        mine: asyncio.Future[Reply | Gap] = asyncio.get_running_loop().create_future()
        self._shared[request.key] = mine
        try:
            reply = await self._send(request)
        except BaseException as error:
            mine.set_exception(error)
            mine.exception()  # seen, whether or not anybody shares it
            raise
        mine.set_result(reply)
        if isinstance(reply, Reply):
            del self._shared[request.key]  # the next one finds it among the kept
        return reply

    def _stop(self, error: CurationError) -> None:
        self._stopped_by = self._stopped_by or error
        self._room.set()
        self._answered.put_nowait(None)

    async def _send(self, request: Request) -> Reply | Gap:
        fault, attempt, unreached, may_pass = "", 0, 0, True
        while not self._stopped_by and attempt < self._params.max_attempts:
            attempt += 1
            try:
                if reply := await self._try(request):
                    return reply
                attempt -= 1  # another process is at it: no attempt of ours
                await asyncio.sleep(POLL_SECONDS)
            except Overloaded as error:
                fault = str(error)
                unreached += fault == "connection" and not error.may_be_billed  # nobody listens there
                self._count_failure(request, fault)
                if attempt < self._params.max_attempts and not self._stopped_by:
                    await asyncio.sleep(self._wait_seconds(request.key, attempt - 1, error.wait_seconds))
            except EndpointError as error:
                raise EndpointError(
                    f"generate: {request.endpoint} {error}; correct generate.openai, generate.model or the key"
                ) from None
            except ProviderError as error:
                fault, may_pass = str(error), not isinstance(error, PromptTooLongError)
                self._count_failure(request, fault)
                break
        with self._replies.together():
            self._replies.disclaim(request.key)
        if unreached == self._params.max_attempts and self._failures_in_a_row >= unreached:
            # no fault of the question: as a gap, it would wait until its part is made anew
            raise EndpointError(
                f"generate: {request.endpoint} cannot be reached; run again when it can, the replies so far are kept, or correct "
                "generate.openai.base_url"
            )
        return Gap("provider_error", fault, may_pass=True) if may_pass else Gap("prompt_too_long", fault)

    async def _try(self, request: Request) -> Reply | None:
        """The reply; None while another process asks for it."""
        await self._pace.enter(request)
        try:
            worst = await self._begin(request)
            if not isinstance(worst, Amount):
                return worst
            try:
                reply = await self._ask(request)
                if not self._unkept:
                    asyncio.get_running_loop().call_soon(self._keep)
                self._unkept.append((request.key, worst, reply))
            except ProviderError as error:
                if not (isinstance(error, Overloaded) and error.may_be_billed):
                    with self._replies.together():
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

    def _keep(self) -> None:
        """Keep what was paid."""
        if self._unkept:
            try:
                with self._together():
                    pass
            except CurationError as error:
                self._stop(error)

    @contextmanager
    def _together(self) -> Iterator[None]:
        """What is written inside, and what was paid before, is there whole or not at all."""
        with self._replies.together():
            for key, worst, reply in self._unkept:
                self._account.settle(worst, reply)
                self._replies.keep(key, reply)
            yield
        self._unkept.clear()

    async def _begin(self, request: Request) -> Amount | Reply | None:
        """What is reserved for one attempt; or the reply, if another process was faster; None while another is at it."""
        worst = self._account.worst(request)
        while True:
            with self._together():
                if not self._replies.claim(request.key):
                    return None
                if kept := self._replies.find(request.key):
                    self._replies.disclaim(request.key)
                    return kept
                if self._account.reserve(worst):
                    self._holding += 1
                    return worst
            if self._stopped_by:
                raise self._stopped_by
            if not self._holding:
                raise self._account.reached()
            # what is under way costs less than its worst: room may come
            self._room.clear()
            await self._room.wait()

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
