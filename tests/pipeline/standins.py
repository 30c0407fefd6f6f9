"""What tests of stand-ins share: one key and its countries."""

from pipeline.replacing.keyed import Surrogates
from tests.build import KEY

STANDINS = Surrogates(KEY, countries=["us", "gb", "ca", "de", "fr", "au"])


def replaced(entity_type: str, value: str) -> str:
    return STANDINS.replace(entity_type, value)
