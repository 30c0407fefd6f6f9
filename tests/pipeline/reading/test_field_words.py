"""A name of a field is told from the name of somebody who became a key."""

import pytest

from pipeline.reading.field_words import names_a_field


@pytest.mark.parametrize(
    "name",
    [
        "csat_score",
        "createdAt",
        "Ticket ID",
        "First Name",
        "churn_risk",
        "ticketid",
        "utm_source",
        "SLA breached",
        "is_vip",
        "cf.plan",
        "AccountNumber",
        "RequestType",
        "warranty_until",
        "max_price",
        "loyalty",
        "Customer Satisfaction",
        "sentiment",
    ],
)
def test_a_field_may_be_named(name: str) -> None:
    assert names_a_field(name)


@pytest.mark.parametrize(
    "name",
    [
        "Jo Fox",
        "jo_fox",
        "Ngozi Okafor",
        "ngozi_okafor",
        "kowalczuk",
        "Rose Hill",
        "grace",
        "JoFox",
        "jo.fox",
        "siobhan_email",
        "Jo",
        "Ürün",
        "+44 7911 123456",
        "jo@example.com",
        "4111111111111111",
        "",
        "_",
        "x" * 65,
    ],
)
def test_somebody_may_not(name: str) -> None:
    assert not names_a_field(name)
