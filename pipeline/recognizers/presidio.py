"""Presidio's own recognizers, those that make sense for the configured countries.

Left out on purpose, because their pattern says almost nothing by itself and their context words are everyday words in
support chats ("number", "order", "date"): see LEFT_OUT. A recognizer of one country is used when that country is
configured, whatever language the text is in: customers write their German tax id into an English chat.

Source: presidio-analyzer 2.2.366, presidio_analyzer/predefined_recognizers.
"""

import inspect
from collections.abc import Callable, Sequence
from typing import Final

from presidio_analyzer import EntityRecognizer, PatternRecognizer, predefined_recognizers
from presidio_analyzer.predefined_recognizers import PhoneRecognizer

LEFT_OUT: Final = {
    "DePlzRecognizer",  # any five digits
    "InVehicleRegistrationRecognizer",  # any letter and four digits
    "NgVehicleRegistrationRecognizer",
    "UsHealthInsuranceMemberIdRecognizer",  # any word with a digit
    "UsPriorAuthorizationNumberRecognizer",  # "authorization 123456": reference numbers have their own recognizer
    "UsReferralNumberRecognizer",
    "UsClaimNumberRecognizer",
    "ZaMobileNumberRecognizer",  # found by PhoneRecognizer
    "ZaTelephoneNumberRecognizer",
}

COUNTRY_NAMES: Final = {"gb": "uk"}
"""ISO 3166-1 codes that Presidio spells otherwise."""


def recognizers(language: str, countries: Sequence[str]) -> list[EntityRecognizer]:
    """Presidio's pattern recognizers for these countries and for every country, in alphabetical order, and its phones."""
    wanted = {COUNTRY_NAMES.get(country, country) for country in countries}
    found: list[EntityRecognizer] = []
    for name, kind in sorted(inspect.getmembers(predefined_recognizers, inspect.isclass)):
        if not issubclass(kind, PatternRecognizer) or name in LEFT_OUT:
            continue
        if kind.COUNTRY_CODE is None or kind.COUNTRY_CODE in wanted:
            make: Callable[..., EntityRecognizer] = kind  # each of them knows its entity
            found.append(make(supported_language=language))
    regions = tuple(country.upper() for country in countries)
    found.append(PhoneRecognizer(supported_language=language, supported_regions=regions))
    return found
