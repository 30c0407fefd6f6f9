"""eml: one file, one mail (RFC 5322), as mail programs save it; a Maildir too, whose files have no ending."""

from collections.abc import Iterator
from typing import Literal

from pipeline.mail.conversation import MailSettings, RawMail, assemble, opener, reader
from pipeline.reading.drafts import Limits, ReceivedFile, Source
from pipeline.reading.files import opened


class EmlSettings(MailSettings):
    """Mails in files of their own."""

    format: Literal["eml"]
    """eml"""


def split(file: ReceivedFile, limits: Limits) -> Iterator[RawMail]:
    """The one mail of the file; one that was taken out of an mbox may still have its "From " line."""
    with opened(file) as stream:
        content = stream.read(limits.max_row_bytes + 1)
        if content.startswith(b"From "):
            content = content.partition(b"\n")[2]
        yield RawMail(content[: limits.max_row_bytes], len(content) > limits.max_row_bytes)


SOURCE = Source(reader(split), assemble, opener(split))
