"""The shelf of surrogates: one file per kind of personal detail, its draw and its form entered here."""

from collections.abc import Mapping
from typing import Final

from pipeline.replacing.atoms import SHAPE, Draw, Form, shaped
from pipeline.surrogates import cards, domains, handles, ibans, names, network, organizations, phones, places, social_security

KINDS: Final[Mapping[str, Draw]] = {
    "female": names.like("female"),
    "male": names.like("male"),
    "family": names.like("family"),
    "place": places.place,
    "domain": domains.domain,
    SHAPE: shaped,
    "card": cards.card,
    "iban": ibans.iban,
    "ssn": social_security.ssn,
    "ipv4": network.ipv4,
    "ipv6": network.ipv6,
    "mac": network.mac,
    **phones.PHONES,
}
"""Kind of atom -> what it is drawn from."""

FORMS: Final[Mapping[str, Form]] = {
    "PERSON": names.person,
    "LOCATION": places.apart,
    "GPE": places.apart,
    "STREET_ADDRESS": places.apart,
    "ORGANIZATION": organizations.apart,
    "NRP": places.apart,
    "EMAIL_ADDRESS": domains.email,
    "USER_NAME": handles.handle,
    "URL": domains.url,
    "DOMAIN_NAME": domains.url,
    "CREDIT_CARD": cards.apart,
    "IBAN_CODE": ibans.apart,
    "US_SSN": social_security.apart,
    "IP_ADDRESS": network.ip,
    "MAC_ADDRESS": network.hardware,
    "UUID": network.uuid,
}
"""Entity type -> how a detail of it is taken apart; every other type is a code.

A telephone number is taken apart by `phones.telephone`, which needs to know the countries of the params.
"""
