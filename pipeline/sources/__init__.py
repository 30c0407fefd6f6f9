"""Export formats, one file each. To add one: its file, and its two lines here."""

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import Field

from pipeline.reading.drafts import Source
from pipeline.sources import events, table, zendesk

SOURCES: Final[Mapping[str, Source]] = {
    "table": table.SOURCE,
    "events": events.SOURCE,
    "zendesk": zendesk.SOURCE,
}

SourceMapping = Annotated[
    table.TableSettings | events.EventsSettings | zendesk.ZendeskSettings,
    Field(discriminator="format"),
]
"""One entry of `ingest.sources`; its `format` says which."""
