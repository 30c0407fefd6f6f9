# ruff: noqa: RUF001  # letters of 15 languages
"""Which mails are one conversation: by the ids they name, and where they name none by subject, people and time.

Held as numbers: 16 bytes for every reference and 40 for every mail, so ten million mails take less than a gigabyte.
Source of the rules: J. Zawinski, "message threading" (1997), without its joining of equal subjects that are no replies.
"""

import re
from array import array
from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Final

import numpy as np

from pipeline.mail.message import Head
from pipeline.reading.times import EPOCH, MICROSECOND

_REPLY: Final = (
    r"re|aw|antw|antwort|sv|vs|vb|ynt|yan[ıi]t|odp|od|rif|r|res|resp|respuesta|atb|ha|rv|tr|wg|fw|fwd|doorst|enc|pd|i|vl|"
    r"víderesendt|ilt|ответ|отв|пересл|на|返信|回复|转发|転送"
)
PREFIX: Final = re.compile(rf"^\s*(?:(?:{_REPLY})\s*(?:[\[(]\d+[\])])?\s*[:：]\s*)+", re.IGNORECASE)
"""What clients put before the subject of a reply or a forward, in the languages mail is cleaned in."""

FORWARD: Final = re.compile(
    r"^\s*(?:fwd?|wg|tr|rv|enc|i|doorst|pd|vl|vb|vs|víderesendt|ilt|пересл|пересылка|転送|转发)\s*(?:\[\d+\])?\s*[:：]",
    re.IGNORECASE,
)
"""The subject of a forward."""

_MARKS: Final = re.compile(r"\[[^\[\]]{0,40}\]|\(\s*fwd?\s*\)", re.IGNORECASE)
_SPACES: Final = re.compile(r"\s+")
_LATEST: Final = np.iinfo(np.int64).max
MIN_SUBJECT: Final = 3
"""Shorter subjects join nothing."""


def subject_of(subject: str) -> tuple[str, bool]:
    """The subject without prefixes and list marks, in lower case; and whether it had a prefix."""
    bare = PREFIX.sub("", subject)
    without_marks = PREFIX.sub("", _MARKS.sub(" ", bare))
    return _SPACES.sub(" ", without_marks).strip().casefold(), bare != subject or PREFIX.match(without_marks) is not None


def node_of(message_id: str) -> int:
    """A message id as a number."""
    return int.from_bytes(blake2b(message_id.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")


class ThreadWriter:
    """Takes the headers of all mails of a unit, in any order."""

    def __init__(self) -> None:
        self._mails, self._times = array("Q"), array("q")
        self._from, self._to = array("Q"), array("Q")
        self._subjects, self._subject_times = array("Q"), array("q")
        self._subject_mails, self._is_reply = array("Q"), array("b")

    def add(self, head: Head, people: Iterable[str]) -> None:
        """Note a mail; `people` are the addresses of the customers it is from or to."""
        node = node_of(head.message_id)
        sent_at = _micros(head.sent_at)
        self._mails.append(node)
        self._times.append(sent_at)
        for reference in head.references:
            self._from.append(node)
            self._to.append(node_of(reference))
        subject, is_reply = subject_of(head.subject)
        if len(subject) >= MIN_SUBJECT and sent_at != _LATEST:
            for person in sorted(set(people)):
                self._subjects.append(node_of(f"{subject}\0{person}"))
                self._subject_times.append(sent_at)
                self._subject_mails.append(node)
                self._is_reply.append(is_reply and not head.references)

    def finish(self, gap_days: float) -> "Threads":
        """The threads; a reply that names no id joins the mail before it of the same subject and customer, within the gap."""
        links = [np.frombuffer(part, np.uint64) for part in (self._from, self._to)] if self._from else [_NONE, _NONE]
        more = self._by_subject(int(gap_days * 86_400_000_000)) if self._subjects else (_NONE, _NONE)
        mails = np.frombuffer(self._mails, np.uint64) if self._mails else _NONE
        times = np.frombuffer(self._times, np.int64) if self._times else np.empty(0, np.int64)
        return Threads(mails, times, np.concatenate([links[0], more[0]]), np.concatenate([links[1], more[1]]))

    def _by_subject(self, gap: int) -> tuple["np.ndarray[tuple[int], np.dtype[np.uint64]]", ...]:
        keys, mails = np.frombuffer(self._subjects, np.uint64), np.frombuffer(self._subject_mails, np.uint64)
        times, replies = np.frombuffer(self._subject_times, np.int64), np.frombuffer(self._is_reply, np.int8)
        order = np.lexsort((mails, times, keys))
        keys, times, mails, replies = keys[order], times[order], mails[order], replies[order]
        joined = (keys[1:] == keys[:-1]) & (times[1:] - times[:-1] <= gap) & (replies[1:] == 1)
        return mails[1:][joined], mails[:-1][joined]


_NONE: Final = np.empty(0, np.uint64)


def _micros(moment: datetime | None) -> int:
    if moment is None:
        return int(_LATEST)
    return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - EPOCH) // MICROSECOND


class Threads:
    """Mail -> thread, which is named by its earliest mail."""

    def __init__(
        self,
        mails: "np.ndarray[tuple[int], np.dtype[np.uint64]]",
        times: "np.ndarray[tuple[int], np.dtype[np.int64]]",
        ends: "np.ndarray[tuple[int], np.dtype[np.uint64]]",
        others: "np.ndarray[tuple[int], np.dtype[np.uint64]]",
    ) -> None:
        from scipy.sparse import coo_matrix  # noqa: PLC0415  # 0.2 s, for mail only
        from scipy.sparse.csgraph import connected_components  # noqa: PLC0415  # as above

        self._nodes = np.unique(np.concatenate([mails, ends, others]))
        size = len(self._nodes)
        rows, columns = np.searchsorted(self._nodes, ends), np.searchsorted(self._nodes, others)
        graph = coo_matrix((np.ones(len(rows), np.int8), (rows, columns)), shape=(size, size))
        self._label = connected_components(graph, directed=False)[1] if size else np.empty(0, np.int32)
        self._root: dict[int, int] = {}
        where = np.searchsorted(self._nodes, mails)
        for at in np.lexsort((mails, times)):
            self._root.setdefault(int(self._label[where[at]]), int(mails[at]))

    def of(self, message_id: str) -> str:
        """The thread of a mail that was added, as 16 hexadecimal digits."""
        at = int(np.searchsorted(self._nodes, np.uint64(node_of(message_id))))
        return f"{self._root[int(self._label[at])]:016x}"
