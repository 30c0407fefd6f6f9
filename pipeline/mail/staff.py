"""Who writes for the company, by address or domain: the same for mailboxes and for the mails of help desks."""

from collections.abc import Collection
from typing import Final, Self

from pydantic import Field, model_validator

from pipeline.params import Section
from pipeline.reading.drafts import Refused

INTERNAL: Final = "internal"
"""What staff write to staff alone: nobody's turn, counted as `mails.internal`."""


class Staff(Section):
    """Who writes for the company; what they write is an answer."""

    addresses: list[str] = Field(default_factory=list)
    """Mail addresses, whole."""
    domains: list[str] = Field(default_factory=list)
    """Domains; every address there is staff, those of their subdomains too."""
    bots: list[str] = Field(default_factory=list)
    """Addresses from which only programs write, such as those of notifications: their turns are a bot's."""

    @model_validator(mode="after")
    def _names_somebody(self) -> Self:
        if not self.addresses and not self.domains:
            raise ValueError("name at least one address or domain of staff, or everybody would be a customer")
        return self

    def speaker(self, address: str) -> str:
        """Who speaks from this address, which is in lower case."""
        if address in {each.lower() for each in self.bots}:
            return "bot"
        if address in {each.lower() for each in self.addresses}:
            return "agent"
        domain = f".{address.rpartition('@')[2]}"
        return "agent" if any(domain.endswith(f".{each.lower().lstrip('@.')}") for each in self.domains) else "customer"

    def writer(self, sender: str, recipients: Collection[str]) -> str:
        """Who speaks in a mail, by addresses in any case; `INTERNAL` where staff or programs write to staff alone."""
        speaker = self.speaker(sender.lower())
        to = {self.speaker(each.lower()) for each in recipients}
        return INTERNAL if to and "customer" not in {speaker, *to} else speaker


def writer_of(staff: Staff | None, sender: str, recipients: Collection[str], *, is_incoming: bool | None, where: str) -> str:
    """Who speaks in a mail of a help desk: by its addresses where staff are declared, else by the direction the desk states.

    Raises:
        Refused: neither says it; `where` names the field of the direction.
    """
    if staff is not None and sender:
        return staff.writer(sender, recipients)
    if is_incoming is None:
        raise Refused("unknown_author", where)
    return "customer" if is_incoming else "agent"
