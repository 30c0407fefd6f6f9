"""Ask a model in batches: hand the requests in, go away, collect the replies in a later run. Half price at many vendors.

What is under way is written down beside the kept replies before it is handed in, under a token that the batch carries as
metadata; so a run that was killed in between finds its batch again instead of paying for another.

Source: OpenAI API reference, "Batch" (read November 2026): files and batches endpoints, results in any order, failed and
expired requests in a file of their own or nowhere.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from typing import Any, Final, Protocol

from pipeline.answering.asking import Fetch, Replied
from pipeline.answering.provider_params import Settings
from pipeline.answering.replies import Replies
from pipeline.answering.request import Gap, Reply, Request
from pipeline.answering.spending import Account, Amount
from pipeline.errors import Overloaded

TABLES: Final = """
CREATE TABLE IF NOT EXISTS batch (token TEXT PRIMARY KEY, endpoint TEXT NOT NULL, id TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS item (
  key TEXT PRIMARY KEY, token TEXT, tokens INTEGER NOT NULL, cost INTEGER NOT NULL, attempts INTEGER NOT NULL
) WITHOUT ROWID;
"""

UNDER_WAY: Final = frozenset({"validating", "in_progress", "finalizing", "cancelling"})
"""States of a batch that may still bring replies; every other one is final."""


@dataclass(frozen=True)
class Collected:
    """What an endpoint says of a batch."""

    is_under_way: bool
    lines: Sequence[str]
    """Of its output file and its error file, in any order."""


class Desk(Protocol):
    """Where batches are handed in and collected."""

    def hand_in(self, lines: bytes, token: str) -> str:
        """Hand in one JSON line per request; gives the id of the batch."""

    def find(self, token: str) -> str | None:
        """The id of the batch that carries this token."""

    def collect(self, batch_id: str) -> Collected:
        """How far a batch is."""

    def close(self) -> None:
        """Close the connections."""

    def read(self, body: Any) -> Reply:
        """The reply in the body of one result; raises Overloaded when it is none."""


def fetch_in_batches(endpoint: str, settings: Settings, open_desk: Callable[[], Desk]) -> Fetch:
    """Fetch from the kept replies; collect what is ready, hand in what is neither, and leave a gap for what is under way."""

    def fetch(requests: Mapping[str, Request]) -> Replied:
        with Replies(settings.replies) as replies:
            account = Account(replies.connection, settings.budget, settings.prices, settings.model.name)
            got: dict[str, Reply | Gap] = {**replies.find(list(requests))}
            if len(got) < len(requests):
                replies.connection.executescript(TABLES)
                with closing(open_desk()) as desk:
                    office = _Office(endpoint, settings, replies, account, desk)
                    office.collect()
                    got = {**replies.find(list(requests))}
                    got |= office.hand_in({key: request for key, request in requests.items() if key not in got})
        return got

    return fetch


class _Office:
    """The batches of one endpoint."""

    def __init__(self, endpoint: str, settings: Settings, replies: Replies, account: Account, desk: Desk) -> None:
        self._endpoint, self._settings, self._desk = endpoint, settings, desk
        self._replies, self._account = replies, account
        self._rows: sqlite3.Connection = replies.connection

    def collect(self) -> None:
        """Keep the replies of every batch that is done; what it did not answer may be handed in again."""
        query = "SELECT token, id FROM batch WHERE endpoint = ? ORDER BY token"
        for token, batch_id in self._rows.execute(query, (self._endpoint,)).fetchall():
            known = batch_id or self._desk.find(token)  # None: killed before it was handed in
            collected = self._desk.collect(known) if known else Collected(is_under_way=False, lines=())
            if known and known != batch_id:
                self._rows.execute("UPDATE batch SET id = ? WHERE token = ?", (known, token))
            self._keep(token, collected.lines)
            if not collected.is_under_way:
                self._close(token)

    def _keep(self, token: str, lines: Sequence[str]) -> None:
        waiting = {
            key: Amount(tokens, cost)
            for key, tokens, cost in self._rows.execute("SELECT key, tokens, cost FROM item WHERE token = ?", (token,))
        }
        for key, reply in self._readable(lines):
            worst = waiting.pop(key, None)
            if worst is None:  # a second result under the same id, or one we never asked for
                continue
            with self._replies.together():
                self._account.settle(worst, reply, self._settings.prices.batch_share)
                self._replies.keep(key, reply)
                self._rows.execute("DELETE FROM item WHERE key = ?", (key,))

    def _readable(self, lines: Sequence[str]) -> Iterator[tuple[str, Reply]]:
        for line in lines:
            try:
                result = json.loads(line)
                if result["response"]["status_code"] == 200:  # noqa: PLR2004  # RFC 9110: OK
                    yield str(result["custom_id"]), self._desk.read(result["response"]["body"])
            except (ValueError, TypeError, LookupError, Overloaded):
                continue  # no reply: it stays in `item`, and is handed in again

    def _close(self, token: str) -> None:
        with self._replies.together():
            for tokens, cost in self._rows.execute("SELECT tokens, cost FROM item WHERE token = ?", (token,)).fetchall():
                self._account.release(Amount(tokens, cost))
            self._rows.execute("UPDATE item SET token = NULL WHERE token = ?", (token,))
            self._rows.execute("DELETE FROM batch WHERE token = ?", (token,))

    def hand_in(self, missing: Mapping[str, Request]) -> dict[str, Gap]:
        """Hand in what is not under way; a gap for every request.

        Raises:
            BudgetReached: a cap leaves no room for all of them; those there was room for are under way.
        """
        gaps: dict[str, Gap] = {}
        to_send: dict[str, tuple[Request, int]] = {}
        for key, request in missing.items():
            row = self._rows.execute(
                "SELECT batch.id, item.attempts FROM item LEFT JOIN batch USING (token) WHERE key = ?", (key,)
            ).fetchone()
            batch_id, attempts = row or (None, 0)
            if batch_id:
                gaps[key] = Gap("awaiting_batch", str(batch_id), may_pass=True)
            elif attempts >= self._settings.pace.max_attempts:
                gaps[key] = Gap("provider_error", f"{attempts} batches", may_pass=True)
            else:
                to_send[key] = request, attempts
        waiting = iter(to_send.items())
        while some := dict(islice(waiting, self._settings.batch.max_requests)):
            batch_id = self._hand_in_one(some)
            gaps |= {key: Gap("awaiting_batch", batch_id, may_pass=True) for key in some}
        return gaps

    def _hand_in_one(self, some: Mapping[str, tuple[Request, int]]) -> str:
        afforded: dict[str, Request] = {}
        token = sha256("\n".join(f"{key} {attempts}" for key, (_, attempts) in sorted(some.items())).encode()).hexdigest()[:32]
        with self._replies.together():
            for key, (request, attempts) in some.items():
                worst = self._account.worst(request)
                if not self._account.reserve(worst):
                    break
                afforded[key] = request
                values = (key, token, worst.tokens, worst.cost, attempts + 1)
                self._rows.execute("INSERT OR REPLACE INTO item VALUES (?, ?, ?, ?, ?)", values)
            if afforded:
                self._rows.execute("INSERT OR REPLACE INTO batch VALUES (?, ?, NULL)", (token, self._endpoint))
        if not afforded:
            raise self._account.reached()
        lines = b"".join(
            b'{"custom_id": "%b", "method": "POST", "url": "/v1/chat/completions", "body": %b}\n'
            % (key.encode(), request.encoded)
            for key, request in afforded.items()
        )
        batch_id = self._desk.hand_in(lines, token)
        self._rows.execute("UPDATE batch SET id = ? WHERE token = ?", (batch_id, token))
        if len(afforded) < len(some):
            raise self._account.reached()
        return batch_id
