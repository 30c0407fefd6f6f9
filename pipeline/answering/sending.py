"""Get replies: look among those that were paid for, send the rest, some at once, each paid for once.

Every question is a dialogue: a generator that yields a request, is sent its reply or gap, and returns what became of the
question. Whoever drives it decides where replies come from. Dialogues run side by side in one event loop and are made one
by one as places become free, so the work before a request and after its reply is done while others are under way.
"""

import asyncio
from collections.abc import Awaitable, Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final, Generic, Protocol, TypeVar

from pipeline.answering.pace import Pace
from pipeline.answering.provider_params import PaceParams, Settings
from pipeline.answering.replies import Replies
from pipeline.answering.request import Gap, Reply, Request
from pipeline.answering.spending import Account, Amount
from pipeline.errors import CurationError, EndpointError, Overloaded, ProviderError

T = TypeVar("T")

Ask = Callable[[Request], Awaitable[Reply]]
"""Sends one request. Raises Overloaded when it is worth a retry, EndpointError when no request is, else ProviderError."""

Open = Callable[[], tuple[Ask, Callable[[], Awaitable[None]]]]
"""Gives, inside the event loop, the function that sends, and one that closes the connections."""

Dialogue = Generator[Request, Reply | Gap, T]
"""The requests of one question, one after the other; returns what became of it."""


class Fetch(Protocol):
    """Leads every dialogue to its end; gives what they returned, in their order."""

    def __call__(self, dialogues: Iterable[Dialogue[T]], /) -> list[T]:
        """Lead them."""


POLL_SECONDS: Final = 0.1
"""Between two looks at what another process is asking for."""


def fetch_with(settings: Settings, open_ask: Open) -> Fetch:
    """Fetch from the kept replies, and what is not there by sending it.

    Args:
        settings: pace, budget, and where replies are kept.
        open_ask: called once something has to be sent.
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
                    asyncio.run(_send_all(chain([begun], _begin(waiting)), ended, open_ask, replies, account, settings.pace))
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
    begun: Iterator[_Begun[T]], ended: dict[int, T], open_ask: Open, replies: Replies, account: Account, pace: PaceParams
) -> None:
    ask, close = open_ask()
    try:
        await _Dispatch(begun, ended, ask, replies, account, pace).run()
    finally:
        await close()


class _Books:
    """Replies, claims and account, for one event loop: what is wanted in the same turn of it is written in one transaction."""

    def __init__(self, replies: Replies, account: Account) -> None:
        self.replies, self.account = replies, account
        self._wanted: list[tuple[Callable[[], Any], asyncio.Future[Any]]] = []
        self._loop = asyncio.get_running_loop()

    def write(self, work: Callable[[], T]) -> "asyncio.Future[T]":
        """Do it in the next transaction; the result is there once that is kept."""
        done: asyncio.Future[T] = self._loop.create_future()
        if not self._wanted:
            self._loop.call_soon(self._write)
        self._wanted.append((work, done))
        return done

    def _write(self) -> None:
        wanted, self._wanted = self._wanted, []
        try:
            with self.replies.together():
                results = [work() for work, _ in wanted]
        except BaseException as error:  # noqa: BLE001  # whoever waits for it raises it
            for _, done in wanted:
                if not done.done():
                    done.set_exception(error)
        else:
            for (_, done), result in zip(wanted, results, strict=True):
                if not done.done():
                    done.set_result(result)


class _Dispatch:
    """Sends the requests of dialogues, some at once, until each has ended."""

    def __init__(
        self,
        begun: Iterator[_Begun[Any]],
        ended: dict[int, Any],
        ask: Ask,
        replies: Replies,
        account: Account,
        params: PaceParams,
    ) -> None:
        self._waiting, self._ended = begun, ended
        self._ask, self._account, self._params = ask, account, params
        self._replies, self._books = replies, _Books(replies, account)
        self._pace = Pace(params)
        self._shared: dict[str, asyncio.Future[Reply | Gap]] = {}
        self._failures_in_a_row = 0
        self._stopped_by: CurationError | None = None
        self._holding = 0
        self._room = asyncio.Event()

    async def run(self) -> None:
        """Lead every dialogue to its end.

        Raises:
            EndpointError: no request would succeed.
            BudgetReached: a cap leaves no room for the next request.
                In both cases what was under way is waited for and kept first.
        """
        await asyncio.gather(*(self._work() for _ in range(self._params.concurrency)))
        if self._stopped_by:
            raise self._stopped_by

    async def _work(self) -> None:
        for begun in self._waiting:
            try:
                self._ended[begun.number] = await self._lead(begun)
            except CurationError as error:
                self._stop(error)
            if self._stopped_by:
                return

    async def _lead(self, begun: _Begun[T]) -> T:
        step = begun.request or run_on(begun.dialogue, self._replies, None)
        while isinstance(step, Request):
            step = run_on(begun.dialogue, self._replies, await self._get(step))
        return step.value

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

    async def _send(self, request: Request) -> Reply | Gap:
        fault, attempt, unreached = "", 0, 0
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
                fault = str(error)
                self._count_failure(request, fault)
                break
        await self._books.write(lambda: self._replies.disclaim(request.key))
        if unreached == self._params.max_attempts and self._failures_in_a_row >= unreached:
            # no fault of the question: as a gap, it would wait until its part is made anew
            raise EndpointError(
                f"generate: {request.endpoint} cannot be reached; run again when it can, the replies so far are kept, or correct "
                "generate.openai.base_url"
            )
        return Gap("provider_error", fault, may_pass=True)

    async def _try(self, request: Request) -> Reply | None:
        """The reply; None while another process asks for it."""
        await self._pace.enter(request)
        try:
            worst = await self._begin(request)
            if not isinstance(worst, Amount):
                return worst
            try:
                reply = await self._ask(request)
                await self._books.write(lambda: self._keep(request.key, worst, reply))
            except ProviderError as error:
                if not (isinstance(error, Overloaded) and error.may_be_billed):
                    await self._books.write(lambda: self._account.release(worst))
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

    def _keep(self, key: str, worst: Amount, reply: Reply) -> None:
        self._account.settle(worst, reply)
        self._replies.keep(key, reply)

    async def _begin(self, request: Request) -> Amount | Reply | None:
        """What is reserved for one attempt; or the reply, if another process was faster; None while another is at it."""
        worst = self._account.worst(request)

        def begin() -> Amount | Reply | bool | None:
            if not self._replies.claim(request.key):
                return None
            if kept := self._replies.find(request.key):
                self._replies.disclaim(request.key)
                return kept
            if not self._account.reserve(worst):
                return False
            self._holding += 1
            return worst

        while (begun := await self._books.write(begin)) is False:
            if self._stopped_by:
                raise self._stopped_by
            if not self._holding:
                raise self._account.reached()
            # what is under way costs less than its worst: room may come
            self._room.clear()
            await self._room.wait()
        return begun  # type: ignore[return-value]  # a bool ends the loop only as something else

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
