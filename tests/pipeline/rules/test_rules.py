"""Every rule's own example holds, and the near misses that decide its worth."""

import doctest
from importlib import import_module

import pytest

from pipeline import rules
from pipeline.rules import RULES, residual_identifier, residual_secret, unfilled_placeholder
from pipeline.turns import said


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_has_a_file_of_its_name_whose_example_holds(rule: str) -> None:
    module = import_module(f"{rules.__name__}.{rule}")

    result = doctest.testmod(module)

    assert RULES[rule] is module.fault
    assert result.attempted or "tokens" in RULES[rule].__doc__  # those read a column that validate adds; tested there
    assert not result.failed


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("mail me: ann.lee+x@acme.co.uk", ["EMAIL_ADDRESS"]),
        ("mail me: ann@example.com or ann@mail.example.org", []),
        ("user@host without a domain", []),
        ("4111 1111 1111 1111", ["CREDIT_CARD"]),
        ("4111 1111 1111 1112 fails its check digit", []),
        ("378282246310005 is an American Express test card", ["CREDIT_CARD"]),
        ("GB82 WEST 1234 5698 7654 32", ["IBAN_CODE"]),
        ("GB82 WEST 1234 5698 7654 33 fails mod 97", []),
        ("GB00WEST00000000000065 has check digits that no bank gives", []),
        ("DE00 4111 1111 1111 1111 17 is no card but a surrogate account", []),
        ("536-90-4399", ["US_SSN"]),
        ("900-90-4399 was never given out", []),
        ("call (212) 555-7788 now", ["PHONE_NUMBER"]),
        ("call 212-555-0143, a number of films", []),
        ("server 8.8.8.8 is down", ["IP_ADDRESS"]),
        ("server 192.0.2.17 or 10.0.0.1", []),
        ("version 1.2.3.4.5 of 2026-01-05 12:30", []),
        ("order 4411-2231 of 12,000.00 EUR", []),
    ],
)
def test_personal_details_are_seen_and_reserved_surrogates_pass(text: str, kinds: list[str]) -> None:
    assert residual_identifier.kinds(text) == kinds
    assert said(f"customer: {text}").select(residual_identifier.fault(None)).item() == bool(kinds)


@pytest.mark.parametrize(
    ("text", "is_placeholder"),
    [
        ("your order {{Order Number}} left", True),
        ("Dear {{ticket.requester.first_name}}", True),
        ("Hi ${first_name}", True),
        ("{% if vip %}thanks{% endif %}", True),
        ("<%= name %>", True),
        ("{{}} is empty", False),
        ("the JSON is {'a': {'b': 1}}", False),
        ("it costs $5 {net}", False),
    ],
)
def test_placeholders_of_templates_are_seen_and_plain_braces_pass(text: str, is_placeholder: bool) -> None:
    assert said(f"agent: {text}").select(unfilled_placeholder.fault(None)).item() == is_placeholder


@pytest.mark.parametrize(
    ("text", "is_secret"),
    [
        ("my password: hunter22", True),
        ("DB_PASSWORD=s3cr3t!x", True),
        ('"apiKey": "9f8e7d6c5b"', True),
        ("-----BEGIN RSA PRIVATE KEY-----", True),
        ("root:$6$saltsalt$hashhashhash", True),
        ("postgres://shop:pa55@db.example.com/x", True),
        ("I forgot my password. It is not there", False),
        ("the secret: it works", False),
        ("password reset 123456", False),
        ("see https://example.com:8080/a@b", False),
    ],
)
def test_credentials_are_seen_and_talk_about_them_passes(text: str, is_secret: bool) -> None:
    assert said(f"customer: {text}").select(residual_secret.fault(None)).item() == is_secret
