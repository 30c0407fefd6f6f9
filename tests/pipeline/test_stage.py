import polars as pl
import pytest

from pipeline.errors import AccountingError
from pipeline.schema import DROPPED
from pipeline.stage import Outcome


def kept(*ids: str) -> pl.DataFrame:
    return pl.DataFrame({"conversation_id": ids}, schema={"conversation_id": pl.String})


def dropped(*ids: str, reason: str | None = "too_long") -> pl.DataFrame:
    return pl.DataFrame([(each, reason, None) for each in ids], schema=DROPPED, orient="row")


GIVEN = pl.Series(["a", "b", "c"])


def test_kept_and_dropped_together_account_for_what_was_given() -> None:
    Outcome(kept("c", "a"), dropped("b")).account_for(GIVEN, "dedupe, part-00000")


@pytest.mark.parametrize(
    ("outcome", "message"),
    [
        (Outcome(kept("a", "b")), "dedupe: 1 conversations lost, such as c"),
        (Outcome(kept("a", "b", "c", "d")), "dedupe: 1 conversations invented, such as d"),
        (Outcome(kept("a", "b", "c"), dropped("b")), "dedupe: 1 conversations left twice, such as b"),
        (Outcome(kept("a", "b"), dropped("c", reason=None)), "dedupe: a conversation was dropped without a reason"),
        (Outcome(kept("a", "b"), dropped("c", reason="")), "dedupe: a conversation was dropped without a reason"),
    ],
)
def test_a_conversation_that_does_not_balance_stops_the_stage(outcome: Outcome, message: str) -> None:
    with pytest.raises(AccountingError) as raised:
        outcome.account_for(GIVEN, "dedupe")

    assert str(raised.value) == message
