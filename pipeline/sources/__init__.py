"""Export formats, one file each. To add one: its file, and its two lines here."""

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import Field

from pipeline.reading.drafts import Source
from pipeline.sources import eml, events, freshdesk, intercom, irc, mbox, slack, table, zendesk, zendesk_tables

SOURCES: Final[Mapping[str, Source]] = {
    "table": table.SOURCE,
    "events": events.SOURCE,
    "zendesk": zendesk.SOURCE,
    "zendesk_tables": zendesk_tables.SOURCE,
    "intercom": intercom.SOURCE,
    "freshdesk": freshdesk.SOURCE,
    "slack": slack.SOURCE,
    "mbox": mbox.SOURCE,
    "eml": eml.SOURCE,
    "irc": irc.SOURCE,
}

SourceMapping = Annotated[
    table.TableSettings
    | events.EventsSettings
    | zendesk.ZendeskSettings
    | zendesk_tables.ZendeskTablesSettings
    | intercom.IntercomSettings
    | freshdesk.FreshdeskSettings
    | slack.SlackSettings
    | mbox.MboxSettings
    | eml.EmlSettings
    | irc.IrcSettings,
    Field(discriminator="format"),
]
"""One entry of `ingest.sources`; its `format` says which."""
