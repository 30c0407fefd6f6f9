"""Export formats, one file each. To add one: its file, and its two lines here."""

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import Field

from pipeline.reading.drafts import Source
from pipeline.reading.exports import Kind, Kinds, names
from pipeline.sources import (
    eml,
    events,
    freshdesk,
    helpscout,
    hubspot,
    intercom,
    irc,
    mbox,
    salesforce,
    slack,
    table,
    transcripts,
    whatsapp,
    zendesk,
    zendesk_tables,
)

SOURCES: Final[Mapping[str, Source]] = {
    "table": table.SOURCE,
    "events": events.SOURCE,
    "zendesk": zendesk.SOURCE,
    "zendesk_tables": zendesk_tables.SOURCE,
    "intercom": intercom.SOURCE,
    "freshdesk": freshdesk.SOURCE,
    "slack": slack.SOURCE,
    "helpscout": helpscout.SOURCE,
    "hubspot": hubspot.SOURCE,
    "salesforce": salesforce.SOURCE,
    "mbox": mbox.SOURCE,
    "eml": eml.SOURCE,
    "irc": irc.SOURCE,
    "whatsapp": whatsapp.SOURCE,
    "transcripts": transcripts.SOURCE,
}

SourceMapping = Annotated[
    table.TableSettings
    | events.EventsSettings
    | zendesk.ZendeskSettings
    | zendesk_tables.ZendeskTablesSettings
    | intercom.IntercomSettings
    | freshdesk.FreshdeskSettings
    | slack.SlackSettings
    | helpscout.HelpscoutSettings
    | hubspot.HubspotSettings
    | salesforce.SalesforceSettings
    | mbox.MboxSettings
    | eml.EmlSettings
    | irc.IrcSettings
    | whatsapp.WhatsappSettings
    | transcripts.TranscriptsSettings,
    Field(discriminator="format"),
]
"""One entry of `ingest.sources`; its `format` says which."""


def doctor_kinds() -> Mapping[str, Kinds]:
    """What the records of each help desk are like, for who has to tell them apart."""
    mapped = {
        kind: Kind(telling, zendesk.MAPPED[kind], zendesk.IGNORED[kind])
        for kind, telling in (
            ("audit", names("ticket_id events")),
            ("ticket", names("requester_id status via")),
            ("comment", names("author_id public body")),
            ("user", names("id role email")),
        )
    }
    return {
        "zendesk": mapped,
        "zendesk_tables": zendesk_tables.KINDS,
        "intercom": intercom.KINDS,
        "freshdesk": freshdesk.KINDS,
        "helpscout": helpscout.KINDS,
        "hubspot": hubspot.KINDS,
        "salesforce": salesforce.KINDS,
    }
