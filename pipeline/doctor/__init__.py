"""What is this, and how would ingest read it?  One file for each way of knowing, tried in this order.

To teach it another: its file, and its line here.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from pipeline.doctor import chat_log, desks, mail, records, slack, transcripts, whatsapp
from pipeline.doctor.candidates import Candidate
from pipeline.reading.drafts import ReceivedFile

LOOKS: Final[Mapping[str, Callable[[Sequence[ReceivedFile]], Iterator[Candidate]]]] = {
    "slack": slack.look,
    "desks": desks.look,
    "mail": mail.look,
    "chat_log": chat_log.look,
    "whatsapp": whatsapp.look,
    "transcripts": transcripts.look,
    "records": records.look,
}
"""Files -> ways to read them, most likely first; none where they are of another kind."""
