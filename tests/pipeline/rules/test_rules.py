"""Every rule's own example holds, and the near misses that decide its worth."""

import doctest
from importlib import import_module

import polars as pl
import pytest

from pipeline import rules
from pipeline.rules import MENDS, RULES, repeated_signature, residual_identifier, residual_secret, unfilled_placeholder
from pipeline.rules.limits import Limits
from pipeline.turns import said

LIMITS = Limits.model_construct()


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
        ("call +49 221 471 0214, one of German films", []),
        ("call +49 221 471 9214", ["PHONE_NUMBER"]),
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


FIX = "Hold the power button for ten seconds."


@pytest.mark.parametrize(
    "text",
    [
        f"[quote=jo_fox post=123]It [b]won't[/b] start, see a[0][/quote]\n{FIX}",
        f"[quote=a][quote=b]Why?[/quote]Where?[/quote]{FIX}",
        "[b]Hold[/b] the [i]power button[/i] for [url=https://example.com/a]ten seconds[/url].",
        f"{FIX} [img]https://example.com/a.png[/img]",
        f"<blockquote>It will not start</blockquote><p>{FIX}</p>",
        f"> It will not start\n\n{FIX}",
        f"{FIX}\n\nEdited by jo_fox on Jan 5, 2026 10:12 AM",
        f"{FIX}\n\nLast edited by jo_fox; 01-05-2026 at 10:12 AM. Reason: typo",
        f"{FIX}\n[ Edited ]",
        f"{FIX}\n\n-- \nJo, Community Manager\nIf my post helped, click Accept as Solution!",
        f"{FIX}\n_______________\nPlease mark this as the accepted solution",
        f"{FIX}\nIf this answer helped you, please give kudos!",
        f"{FIX}\nSent from my Galaxy S9 using Tapatalk",
        f"{FIX}\nAttachments:\nIMG_2031.jpg (123 KB)",
        f"{FIX}\n\nFrom: Jo <jo@example.com>\nTo: help@example.com\nIt will not start",
        f"{FIX}\n\nFrom: Jo\nDate: 3 May\nTo: Help\nSubject: Start\n\nIt will not start",
        f"> It will not start\n>> Why?\n>>> Hello\n\n{FIX}",
    ],
)
def test_what_a_forum_adds_to_a_post_goes_and_the_post_stays(text: str) -> None:
    turns = said(f"agent: {text}")
    for rule, mend in MENDS.items():
        turns = turns.with_columns(text=pl.when(RULES[rule](LIMITS)).then(mend(pl.col("text"))).otherwise("text"))

    assert turns["text"].item() == FIX


@pytest.mark.parametrize(
    "text",
    [
        "If the reply helps, keep the cable; otherwise send it back to us with the label.",
        "When the information helps us find the order, we refund within 5 days.",
        "Please mark the parcel as a solution return and drop it at the shop.",
        "Click Edit, then mark it as the best answer. Otherwise go to Settings and reset the hub.",
        "Please give thumbs up in the app to confirm the delivery, then sign with your finger.",
        "Sent from my phone it works, but from the laptop it fails.",
        "Edited by hand in 2019, this file needs the new key: set it to 1.",
        "Two steps:\n______\nUnplug the router.\nWait ten seconds.",
        "Run this:\n--\ngit checkout main\nThen restart.",
        "_____\nRestart the router",
        "Change the booking:\nFrom: London\nTo: Paris\nThen pay the difference.",
        "On the last screen the installer wrote: disk full.\nSo free some space and run it again.",
        ">>> import os\n>>> os.getcwd()\nThat prints the folder.",
        "Use a[i] in place of a[b], as [0] is the first and [1] the second.",
        "Click the Solutions tab, then Kudos list.",
        "Sent from my bank on Monday, it has not arrived.",
        "Edited by hand, the file breaks.",
        "The steps:\n-----\n1. Hold the button.\n2. Let go.",
        "5 > 3 and\n> 2",
        "Attachments: none of them opens.",
    ],
)
def test_what_only_looks_like_an_addition_of_a_forum_stays(text: str) -> None:
    turns = said(f"agent: {text}")

    assert [rule for rule in MENDS if turns.select(RULES[rule](LIMITS)).to_series().item()] == []


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("[b]So:[/b]\n[code]a[i] = b[u][0]\n[/code]", "So:\na[i] = b[u][0]"),
        ("[i]Swap a[i] with[/i] x[code] and argv[s]", "Swap a[i] with x[code] and argv[s]"),
        ("<blockquote>How?</blockquote><p>As a[i], or [*].</p>", "As a[i], or [*]."),
        ("[b]So:[/b] [i think] at a[i]", "So: [i think] at a[i]"),
        ("[list][*]one[*]two[/list]", "- one\n- two"),
        ("[b][i]Both[/i][/b], in[u]side[/u]", "Both, inside"),
        ("[code][b]not bold[/b][/code]", "[b]not bold[/b]"),
    ],
)
def test_an_index_in_code_is_no_tag(text: str, read: str) -> None:
    assert pl.select(MENDS["markup"](pl.lit(text))).item() == read


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("bump", "not_an_answer"),
        ("[SOLVED] thanks", "not_an_answer"),
        ("Same problem here, any news?", "not_an_answer"),
        ("This post has been removed by a moderator.", "not_an_answer"),
        ("I have sent you a private message.", "not_an_answer"),
        ("Please check your DM so we can look into this further.", "not_an_answer"),
        ("A bump on the door is insured, please call us.", None),
        ("Solved by updating the driver to version 7.", None),
        ("[link](https://example.com/kb/123)", "only_links"),
        ("Please have a look at this article: https://example.com/kb/123", "only_links"),
        ("Install the driver from https://example.com/kb/123", None),
    ],
)
def test_posts_that_answer_nothing_are_told_from_those_that_do(text: str, rule: str | None) -> None:
    turns = said("customer: It will not start.", f"agent: {text}")

    found = [name for name in ("not_an_answer", "only_links") if turns.select(RULES[name](LIMITS)).to_series().any()]
    assert found == ([rule] if rule else [])


@pytest.mark.parametrize(
    ("last", "is_signature"),
    [
        ("Jo Fox\nVolunteer, not staff", True),
        ("Ryzen 5 | 32 GB | Mint 21", True),
        ("Regards, Jo", True),
        ("Did that help?", False),
        ("}", False),
        ("[/code]", False),
        ("```", False),
        ("rows = 3;", False),
        ("\n".join(f"Step {n}" for n in range(5)), False),
    ],
)
def test_what_ends_three_turns_of_one_author_is_a_signature_unless_it_asks_or_is_code(last: str, is_signature: bool) -> None:
    turns = said(*(f"agent: Try {way}.\n\n{last}" for way in ("this", "that", "both"))).with_columns(author_key=pl.lit("a"))

    assert turns.select(repeated_signature.fault(LIMITS)).to_series().to_list() == [is_signature] * 3
    several = turns.with_columns(author_key=pl.col("turn_id"))
    assert not several.select(repeated_signature.fault(LIMITS)).to_series().any()
    if is_signature:
        assert turns.select(repeated_signature.mend(pl.col("text"))).to_series().to_list() == [
            "Try this.",
            "Try that.",
            "Try both.",
        ]
