"""How fast requests leave: an even rate, and fewer at once while the endpoint says it is busy.

Additive increase, multiplicative decrease, as TCP does it (Jacobson, "Congestion avoidance and control", 1988): a 429
halves the requests under way, an answer adds a fraction of one. A Retry-After holds back every request, not only the
one it was sent to.
"""

import asyncio
from collections import deque
from typing import Final

from pipeline.answering.provider_params import PaceParams
from pipeline.answering.request import Request

SECONDS_PER_MINUTE: Final = 60.0
CHARACTERS_PER_TOKEN: Final = 3
"""For the rate alone: few texts have more tokens than that."""


class Pace:
    """Lets requests through one by one. Inside one event loop."""

    def __init__(self, params: PaceParams) -> None:
        """Start at full width."""
        self._params = params
        self._width = float(params.concurrency)
        self._under_way = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._next = 0.0
        self._not_before = 0.0
        self._narrowed = 0.0
        self._loop = asyncio.get_running_loop()

    async def enter(self, request: Request) -> None:
        """Wait for a place and for the rate."""
        while self._under_way >= max(1, int(self._width)):
            place = self._loop.create_future()
            self._waiting.append(place)
            await place
        self._under_way += 1
        try:
            # again after every sleep: somebody else may have taken the moment, or been told to wait longer
            while (delay := max(self._not_before, self._next) - self._loop.time()) > 0:  # noqa: ASYNC110  # no event but time
                await asyncio.sleep(delay)
        except asyncio.CancelledError:
            self.leave()
            raise
        self._next = max(self._next, self._loop.time()) + self._seconds_for(request)

    def _seconds_for(self, request: Request) -> float:
        requests, tokens = self._params.requests_per_minute, self._params.tokens_per_minute
        by_requests = SECONDS_PER_MINUTE / requests if requests else 0.0
        if not tokens:
            return by_requests
        asked = sum(len(message.content) for message in request.messages) / CHARACTERS_PER_TOKEN
        return max(by_requests, (asked + request.max_tokens) * SECONDS_PER_MINUTE / tokens)

    def leave(self) -> None:
        """Give the place back."""
        self._under_way -= 1
        while self._waiting:
            place = self._waiting.popleft()
            if not place.done():
                place.set_result(None)
                break

    def widen(self) -> None:
        """An answer came: a little more at once."""
        if self._width < self._params.concurrency:
            self._width = min(self._params.concurrency, self._width + 1 / self._width)
            self._wake()

    def narrow(self, wait_seconds: float | None) -> None:
        """The endpoint is busy: half as much at once, and nothing before it said."""
        now = self._loop.time()
        if wait_seconds is not None:
            self._not_before = max(self._not_before, now + min(wait_seconds, self._params.max_wait_seconds))
        if now >= self._narrowed:  # those sent at the same time say the same thing
            self._width = max(1.0, self._width / 2)
            self._narrowed = now + self._params.first_wait_seconds

    def _wake(self) -> None:
        free = int(self._width) - self._under_way
        while free > 0 and self._waiting:
            place = self._waiting.popleft()
            if not place.done():
                place.set_result(None)
                free -= 1
