"""Ask a model in batches: hand the requests in, go away, collect the replies in a later run. Half price at many vendors.

What is under way is written down beside the kept replies before it is handed in, under a token that the batch carries as
metadata; so a run that was killed in between finds its batch again instead of paying for another.

Source: OpenAI API reference, "Batch" (read November 2026): files and batches endpoints, results in any order, failed and
expired requests in a file of their own or nowhere.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from typing import Any, Final, Protocol, TypeVar

from pipeline.answering.completions import refused_for_good
from pipeline.answering.provider_params import Settings
from pipeline.answering.replies import Replies
from pipeline.answering.request import Gap, Reply, Request
from pipeline.answering.sending import Dialogue, Ended, Fetch, models_of, run_on
from pipeline.answering.spending import Account, Amount
from pipeline.errors import EndpointError, Overloaded

T = TypeVar("T")

TABLES: Final = """
CREATE TABLE IF NOT EXISTS batch (token TEXT PRIMARY KEY, endpoint TEXT NOT NULL, id TEXT, owner TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS item (
  key TEXT PRIMARY KEY, token TEXT, tokens INTEGER NOT NULL, cost INTEGER NOT NULL, model TEXT NOT NULL,
  attempts INTEGER NOT NULL
) WITHOUT ROWID;
"""
"""`id`: None until the endpoint has given one; `owner`: who hands it in, as with claims; `token` of an item: None once its
batch has ended without a reply to it."""

FINAL: Final = frozenset({"completed", "failed", "expired", "cancelled"})
"""States in which a batch brings no more replies, in whatever case (Together and Novita shout). In any other it is waited for:
to hand its requests in again would be to pay twice."""


def under_way(replies: Replies) -> frozenset[str]:
    """Keys of the requests that are in a batch which was not collected yet."""
    replies.connection.executescript(TABLES)
    return frozenset(key for (key,) in replies.connection.execute("SELECT key FROM item WHERE token IS NOT NULL"))


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

    def fetch(dialogues: Iterable[Dialogue[T]]) -> list[T]:
        with Replies(settings.replies) as replies:
            replies.connection.executescript(TABLES)
            begun = [(dialogue, run_on(dialogue, replies, None)) for dialogue in dialogues]
            if any(isinstance(step, Request) for _, step in begun):
                account = Account(replies.connection, settings.budget, settings.prices, *models_of(settings))
                with closing(open_desk()) as desk:
                    office = _Office(endpoint, settings, replies, account, desk)
                    office.collect()
                    begun = [
                        (dialogue, _look_again(dialogue, step, replies) if isinstance(step, Request) else step)
                        for dialogue, step in begun
                    ]
                    gaps = office.hand_in({step.key: step for _, step in begun if isinstance(step, Request)})
                    begun = [(dialogue, _give_up(dialogue, step, replies, gaps)) for dialogue, step in begun]
        return [step.value for _, step in begun if isinstance(step, Ended)]

    return fetch


def _look_again(dialogue: Dialogue[T], step: Request, replies: Replies) -> Request | Ended[T]:
    kept = replies.find(step.key)
    return run_on(dialogue, replies, kept) if kept else step


def _give_up(dialogue: Dialogue[T], step: Request | Ended[T], replies: Replies, gaps: Mapping[str, Gap]) -> Request | Ended[T]:
    while isinstance(step, Request):  # what is asked after a gap waits for another night
        step = run_on(dialogue, replies, gaps.get(step.key, Gap("awaiting_batch", may_pass=True)))
    return step


def _fields_refused(lines: Sequence[str]) -> set[str]:
    """Fields that the results of a batch name as they refuse every request of it."""
    named: set[str] = set()
    for line in lines:
        try:
            response = json.loads(line)["response"]
            field = refused_for_good(int(response["status_code"]), json.dumps(response["body"]).encode())
        except (ValueError, TypeError, LookupError):
            return set()
        if field is None:
            return set()
        named.add(field)
    return named


class _Office:
    """The batches of one endpoint."""

    def __init__(self, endpoint: str, settings: Settings, replies: Replies, account: Account, desk: Desk) -> None:
        self._endpoint, self._settings, self._desk = endpoint, settings, desk
        self._replies, self._account = replies, account
        self._rows: sqlite3.Connection = replies.connection

    def collect(self) -> None:
        """Keep the replies of every batch that is done; what it did not answer may be handed in again.

        Raises:
            EndpointError: it refused every request of a batch for a field of it, and would refuse them again.
        """
        refused: set[str] = set()
        query = "SELECT token, id, owner FROM batch WHERE endpoint = ? ORDER BY token"
        for token, batch_id, owner in self._rows.execute(query, (self._endpoint,)).fetchall():
            if batch_id is None and owner != self._replies.owner and self._replies.is_alive(owner):
                continue  # another process is handing it in right now
            known = batch_id or self._desk.find(token)  # None: killed before it was handed in
            collected = self._desk.collect(known) if known else Collected(is_under_way=False, lines=())
            if known and known != batch_id:
                self._rows.execute("UPDATE batch SET id = ? WHERE token = ?", (known, token))
            self._keep(token, collected.lines)
            if not collected.is_under_way:
                self._close(token)
                refused |= _fields_refused(collected.lines)
        if refused:
            fields = ", ".join(sorted(refused))
            raise EndpointError(
                f"generate: {self._endpoint} refused every request of a batch for {fields}; correct generate.model"
            )

    def _keep(self, token: str, lines: Sequence[str]) -> None:
        waiting = {
            key: Amount(tokens, cost, model)
            for key, tokens, cost, model in self._rows.execute(
                "SELECT key, tokens, cost, model FROM item WHERE token = ?", (token,)
            )
        }
        for key, reply in self._readable(lines):
            worst = waiting.pop(key, None)
            if worst is None:  # a second result under the same id, or one we never asked for
                continue
            with self._replies.together():
                # another process may have collected it in the meantime
                if self._rows.execute("DELETE FROM item WHERE key = ? AND token = ?", (key, token)).rowcount:
                    self._account.settle(worst, reply, self._settings.prices.batch_share)
                    self._replies.keep(key, reply)

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
            query = "SELECT tokens, cost, model FROM item WHERE token = ?"
            for tokens, cost, model in self._rows.execute(query, (token,)).fetchall():
                self._account.release(Amount(tokens, cost, model))
            self._rows.execute("UPDATE item SET token = NULL WHERE token = ?", (token,))
            self._rows.execute("DELETE FROM batch WHERE token = ?", (token,))

    def hand_in(self, missing: Mapping[str, Request]) -> dict[str, Gap]:
        """Hand in what is not under way; a gap for every request.

        Raises:
            BudgetReached: a cap leaves no room for all of them; those there was room for are under way.
        """
        gaps: dict[str, Gap] = {}
        waiting = iter(missing.items())
        while some := dict(islice(waiting, self._settings.batch.max_requests)):
            gaps |= self._hand_in_some(some)
        return gaps

    def _hand_in_some(self, some: Mapping[str, Request]) -> dict[str, Gap]:
        gaps: dict[str, Gap] = {}
        afforded: dict[str, Request] = {}
        is_out_of_room = False
        with self._replies.together():  # whoever writes an item down first is the one to hand it in
            attempts = {key: self._attempts(key, gaps) for key in some}
            to_send = {key: made for key, made in attempts.items() if key not in gaps}
            named = "\n".join(f"{key} {made}" for key, made in sorted(to_send.items()))
            token = sha256(named.encode()).hexdigest()[:32]
            for key, made in to_send.items():
                worst = self._account.worst(some[key])
                if not self._account.reserve(worst):
                    is_out_of_room = True
                    break
                afforded[key] = some[key]
                values = (key, token, worst.tokens, worst.cost, worst.model, made + 1)
                self._rows.execute("INSERT OR REPLACE INTO item VALUES (?, ?, ?, ?, ?, ?)", values)
            if afforded:
                batch = (token, self._endpoint, self._replies.owner)
                self._rows.execute("INSERT OR REPLACE INTO batch VALUES (?, ?, NULL, ?)", batch)
        if afforded:
            batch_id = self._hand_in_one(token, afforded)
            gaps |= {key: Gap("awaiting_batch", batch_id, may_pass=True) for key in afforded}
        if is_out_of_room:
            raise self._account.reached()
        return gaps

    def _attempts(self, key: str, gaps: dict[str, Gap]) -> int:
        """Batches this request was in; with a gap when it is in one now, or was in too many."""
        query = "SELECT item.token, batch.id, attempts FROM item LEFT JOIN batch USING (token) WHERE key = ?"
        token, batch_id, attempts = self._rows.execute(query, (key,)).fetchone() or (None, None, 0)
        if token is not None:
            gaps[key] = Gap("awaiting_batch", batch_id or "", may_pass=True)
        elif attempts >= self._settings.pace.max_attempts:
            gaps[key] = Gap("provider_error", f"{attempts} batches", may_pass=True)
        return int(attempts)

    def _hand_in_one(self, token: str, afforded: Mapping[str, Request]) -> str:
        lines = b"".join(
            b'{"custom_id": "%b", "method": "POST", "url": "/v1/chat/completions", "body": %b}\n'
            % (key.encode(), request.encoded)
            for key, request in afforded.items()
        )
        batch_id = self._desk.hand_in(lines, token)
        self._rows.execute("UPDATE batch SET id = ? WHERE token = ?", (batch_id, token))
        return batch_id
