r"""mbox: one file, many mails, as Gmail's Takeout, Thunderbird, Apple Mail and mailing-list archives write it.

    From jo.fox@example.com Mon Jan  5 12:00:00 2026
    From: Jo Fox <jo.fox@example.com>
    Subject: Where is my parcel?

    Hello, ...

A mail begins at a line "From " with a time in it, at the start of the file or after a blank line (RFC 4155, appendix A);
">From " in a text is "From " (the mboxrd rule of Rahul Dhesi, 1995).
"""

import re
from collections.abc import Collection, Iterator
from typing import IO, Any, Final, Literal

from pipeline.errors import SourceError
from pipeline.mail.conversation import GONE, MailSettings, RawMail, assemble, opener, reader
from pipeline.reading.drafts import Limits, ReceivedFile, Source
from pipeline.reading.files import opened

_BEGIN: Final = re.compile(rb"From \S.*\d{1,2}:\d{2}|From -? ?\r?\n")
_QUOTED: Final = re.compile(rb">+From ")
_NOBODY: Final = b"From - Thu Jan  1 00:00:00 1970"
CHUNK_BYTES: Final = 2**16


class MboxSettings(MailSettings):
    """Mailboxes of the format mbox."""

    format: Literal["mbox"]
    """mbox"""


def split(file: ReceivedFile, limits: Limits) -> Iterator[RawMail]:
    """The mails of a mailbox, one after another.

    Raises:
        SourceError: the file does not begin with a mail.
    """
    with opened(file) as stream:
        mail: list[bytes] = []
        size, is_cut, has_begun = 0, False, False
        for line, begins_mail, begins_line in _lines(stream):
            if begins_mail:
                if has_begun:
                    yield RawMail(b"".join(mail), is_cut)
                mail, size, is_cut, has_begun = [], 0, False, True
            elif has_begun:
                if size < limits.max_row_bytes:
                    mail.append(line[1:] if begins_line and _QUOTED.match(line) else line)
                    size += len(line)
                else:
                    is_cut = True
            elif line.strip(b"\r\n\t \xef\xbb\xbf"):
                raise SourceError(
                    f"{file.label}: does not begin with a line 'From ' as an mbox does; correct its format in params"
                )
        if has_begun:
            yield RawMail(b"".join(mail), is_cut)


def _lines(stream: IO[bytes]) -> Iterator[tuple[bytes, bool, bool]]:
    """Every line, or piece of a long one; whether a mail begins with it; whether a line does."""
    after_blank = line_begins = True
    for line in iter(lambda: stream.readline(CHUNK_BYTES), b""):
        yield line, line_begins and after_blank and _BEGIN.match(line) is not None, line_begins
        after_blank = line_begins and line in {b"\n", b"\r\n"}
        line_begins = line.endswith(b"\n")


def without(stream: IO[bytes], rows: Collection[int], _settings: Any) -> Iterator[tuple[bytes, bool]]:
    """A mailbox without these mails: of each a mail that has one header, the mark."""
    position = 0
    for line, begins_mail, _ in _lines(stream):
        position += begins_mail
        if position not in rows:
            yield line, False
        elif begins_mail:
            end = line[len(line.rstrip(b"\r\n")) :]
            yield _NOBODY + end + GONE + end + end, True


SOURCE = Source(reader(split), assemble, opener(split), cuts=without)
