"""An exported chat of WhatsApp is known by how its messages begin."""

# ruff: noqa: PLR2004  # it judges by rules of thumb; the comments beside the numbers say which

import re
from collections.abc import Iterator, Sequence
from typing import get_args

from pipeline.doctor.candidates import Candidate
from pipeline.doctor.sampling import alike, beginning, spread
from pipeline.reading.drafts import ReceivedFile
from pipeline.reading.phone_times import DateOrder, moment
from pipeline.sources.whatsapp import header_of


def look(files: Sequence[ReceivedFile]) -> Iterator[Candidate]:
    """Text files in which a third of the first lines, and two at least, are a day, a time and an author."""
    found: list[ReceivedFile] = []
    begun: list[re.Match[str]] = []
    for file in spread(files):
        lines = beginning(file).decode("utf-8", "replace").splitlines()
        headers = [header for line in lines if (header := header_of(line))]
        if len(headers) >= 2 and len(headers) * 3 >= sum(bool(line.strip()) for line in lines[:60]):
            found.append(file)
            begun += headers
    if not found:
        return
    fitting = [order for order in get_args(DateOrder) if all(moment(header, order) for header in begun)]
    order = fitting[0] if fitting else "day_first"
    remarks = [
        "name in `staff` those who answer, as they stand in the chats: until then everybody is a customer",
        "zone: put that of the phone that exported",
        "the name of a file often names the customer, and stands in every table: rename the files before they are read",
    ]
    if len(fitting) > 1:
        remarks.append(f"date_order: the days of the sample could also be {fitting[1]}; check that none is the other way round")
    yield Candidate(
        "whatsapp",
        alike(files, found),
        {"date_order": order, "zone": "UTC", "staff": [], "gap_minutes": 720},
        [f"messages in {len(found)} files begin with a day, a time and an author, as exported chats of WhatsApp do"],
        remarks,
    )
