r"""mbox: one file, many mails, as Gmail's Takeout, Thunderbird, Apple Mail and mailing-list archives write it.

    From jo.fox@example.com Mon Jan  5 12:00:00 2026
    From: Jo Fox <jo.fox@example.com>
    Subject: Where is my parcel?

    Hello, ...

A mail begins at a line "From " with a time in it, at the start of the file or after a blank line (RFC 4155, appendix A);
">From " in a text is "From " (the mboxrd rule of Rahul Dhesi, 1995).
"""

import re
from collections.abc import Iterator
from typing import Final, Literal

from pipeline.errors import SourceError
from pipeline.mail.conversation import MailSettings, RawMail, assemble, opener, reader
from pipeline.reading.drafts import Limits, ReceivedFile, Source
from pipeline.reading.files import opened

_BEGIN: Final = re.compile(rb"From \S.*\d{1,2}:\d{2}|From -? ?\r?\n")
_QUOTED: Final = re.compile(rb">+From ")
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
        size, is_cut, has_begun, after_blank, line_begins = 0, False, False, True, True
        for line in iter(lambda: stream.readline(CHUNK_BYTES), b""):
            if line_begins and after_blank and _BEGIN.match(line):
                if has_begun:
                    yield RawMail(b"".join(mail), is_cut)
                mail, size, is_cut, has_begun = [], 0, False, True
            elif has_begun:
                if size < limits.max_row_bytes:
                    mail.append(line[1:] if line_begins and _QUOTED.match(line) else line)
                    size += len(line)
                else:
                    is_cut = True
            elif line.strip(b"\r\n\t \xef\xbb\xbf"):
                raise SourceError(
                    f"{file.label}: does not begin with a line 'From ' as an mbox does; correct its format in params"
                )
            after_blank = line_begins and line in {b"\n", b"\r\n"}
            line_begins = line.endswith(b"\n")
        if has_begun:
            yield RawMail(b"".join(mail), is_cut)


SOURCE = Source(reader(split), assemble, opener(split))
