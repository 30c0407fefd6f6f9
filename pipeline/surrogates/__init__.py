"""The shelf of surrogates: one file per kind of personal detail, its draw and its form entered here."""

import re
from collections.abc import Mapping
from typing import Final

from pipeline.replacing.atoms import SHAPE, Draw, Form, shaped
from pipeline.replacing.number_signs import CARD_LENGTHS, PHONE_DIGITS
from pipeline.surrogates import cards, domains, handles, ibans, names, network, organizations, phones, places, social_security

KINDS: Final[Mapping[str, Draw]] = {
    "female": names.like("female"),
    "male": names.like("male"),
    "family": names.like("family"),
    "place": places.place,
    "domain": domains.domain,
    SHAPE: ibans.no_account,
    "card": shaped,
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

AS_FOUND: Final = frozenset(
    {
        "PHONE_NUMBER",
        "EMAIL_ADDRESS",
        "URL",
        "DOMAIN_NAME",
        "CREDIT_CARD",
        "IBAN_CODE",
        "US_SSN",
        "IP_ADDRESS",
        "MAC_ADDRESS",
        "UUID",
    }
)
"""Types with a form of their own for numbers."""

READS_AS: Final = re.compile(
    r"(?<![\w.-])(?:"
    r"(?P<IBAN_CODE>[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?! \d)|[a-z]{2}\d{2}(?: ?\d{4}){3,7}(?: ?\d{1,3})?)"
    r"|(?P<US_SSN>\d{3}-\d{2}-\d{4})"
    r"|(?P<IP_ADDRESS>\d{1,3}(?:\.\d{1,3}){3}(?!\.\d))"
    rf"|(?P<ID_NUMBER>\d(?:[ -]?\d){{{CARD_LENGTHS.stop - 1},63}}"  # however it is grouped
    r"|[A-Z]{2}\d{2}(?=(?:[ A-Z]{0,9}\d){6})(?: ?[A-Z0-9]){8,31}"
    rf"|[^\W\d_]{{1,8}}\d(?:[ .-]?\d){{{PHONE_DIGITS - 1},63}})"
    r"|(?P<PHONE_NUMBER>(?:\+?1[ .-]?)?(?:\(\d{3}\)[ .-]?|\d{3}[ .-])\d{3}[ .-]\d{4}|\d{10}"
    r"|(?:\+|00(?=(?:[17]|[2-9]\d{1,2})(?:[ ./()-]|\d{5})))[1-9](?:[ ./()-]{0,3}\d){6,13}"  # with a country code
    r"|(?=(?:[ ./-]?\d){9,12}(?![\w-]))0(?!0)\d{1,4}(?:[ ./-]\d{2,5}){1,4}(?![ -]\d))"
    rf"|(?P<CREDIT_CARD>\d(?:[ -]?\d){{{CARD_LENGTHS.start - 1},{CARD_LENGTHS.stop - 2}}})"
    rf"|(?P<ACCOUNT_NUMBER>\d(?:[ -]?\d){{{PHONE_DIGITS - 1},{CARD_LENGTHS.start - 2}}})"
    r")(?![\w-])"
)
"""What reads as an identifier, whatever it was found as: its stand-in must not pass for somebody's by chance, and one number is
one value."""
