"""What leaves the machine: only scrubbed text, only to the one address."""

from pathlib import Path

import polars as pl
import pytest

from pipeline import generate, scrub
from pipeline.params import load_section
from pipeline.schema import INGESTED, SCRUBBED
from pipeline.stage import Outcome
from pipeline.tables import Table, new_table
from tests.build import MEANS, conversation, conversations
from tests.llm_server import LlmServer, Received
from tests.pipeline.generate_tables import SHIPPED, params

PLANTED = [
    (
        f"kim{number:03d}@harbour{number % 7}.co.uk",
        f"0171 946 {number:04d}",
        f"857318{number:04d}",
        f"GB29NWBK6016133192{number:04d}",
    )
    for number in range(250)
]


def received_after_scrub(tmp_path: Path) -> list[Received]:
    """What an endpoint receives when customers who name every planted value are scrubbed and asked about."""
    kinds = ("EMAIL_ADDRESS", "PHONE_NUMBER", "ACCOUNT_NUMBER", "IBAN_CODE")
    rows = [
        conversation(number, f"I am {mail}, {phone}, account {account}, IBAN {iban}. Where is my refund number {number}?")
        | {
            "native_id": str(number),
            "participants": [
                {"person": f"p{number}", "role": "customer", "kind": kind, "value": value}
                for kind, value in zip(kinds, (mail, phone, account, iban), strict=True)
            ],
        }
        for number, (mail, phone, account, iban) in enumerate(PLANTED)
    ]
    with new_table(tmp_path / "ingested", "ingest", "f", None) as writer:
        writer.publish([writer.write("part-00000", {"raw": "0"}, Outcome(conversations(rows, INGESTED)))])
    scrub.run(tmp_path / "ingested", tmp_path / "scrubbed", load_section(scrub.ScrubParams, "scrub", [SHIPPED]), MEANS)
    scrubbed = Table(tmp_path / "scrubbed")
    with new_table(tmp_path / "deduped", "dedupe", "f", scrubbed) as writer:
        frame = scrubbed.scan().select(*SCRUBBED, cluster_id=pl.col("conversation_id")).collect()
        writer.publish([writer.write("part-00000", {"a": "0"}, Outcome(frame))])

    with LlmServer() as server:
        endpoint = {"openai__base_url": server.base_url, "openai__key_variable": "TICKETMILL_TEST_KEY"}
        generate.run(tmp_path / "deduped", tmp_path / "generated", params(tmp_path, provider="openai", **endpoint), MEANS)

    return server.received


def test_none_of_a_thousand_planted_identifiers_reaches_the_endpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICKETMILL_TEST_KEY", "sk-not-a-real-key")
    all_received = received_after_scrub(tmp_path)

    sent = b"".join(received.raw + str(received.headers).encode() for received in all_received)
    assert len(all_received) == 250
    assert [value for values in PLANTED for value in values if value.encode() in sent] == []
