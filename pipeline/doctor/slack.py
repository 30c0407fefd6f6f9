"""A Slack export is known by the names of its files."""

import re
from collections.abc import Iterator, Sequence

from pipeline.doctor.candidates import Candidate
from pipeline.reading.drafts import ReceivedFile


def look(files: Sequence[ReceivedFile]) -> Iterator[Candidate]:
    """Files named by day beside the lists of users and channels."""
    lists = {
        file.label.removesuffix(file.name) for file in files if file.name in {"users.json", "channels.json", "org_users.json"}
    }
    own = [file for file in files if file.name.endswith(".json") and file.label.startswith(tuple(sorted(lists)))]
    days = [file for file in own if re.fullmatch(r"\d{4}-\d\d-\d\d\.json", file.name)]
    if not days:
        return
    channels = sorted({file.label.replace("!", "/").split("/")[-2] for file in days if "/" in file.label})
    yield Candidate(
        "slack",
        own,
        {"channels": ["*"], "staff": [], "session_gap_minutes": 60},
        [f"users.json or channels.json beside {len(days)} files named by day, in {len(channels)} channels"],
        ["list in `channels` those where support is given, and in `staff` who answers there: until then everybody is a customer"],
    )
