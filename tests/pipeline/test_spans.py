"""Of overlapping finds the longest counts, and no found character goes free."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from pipeline.spans import Span, resolve


def span(start: int, end: int, entity_type: str = "PERSON", score: float = 0.5, recognizer: str = "r") -> Span:
    return Span(start, end, entity_type, score, recognizer)


SPANS = st.lists(
    st.builds(
        lambda start, length, kind, score: span(start, start + length, kind, score),
        st.integers(0, 30),
        st.integers(1, 12),
        st.sampled_from(["PERSON", "URL", "PIN"]),
        st.sampled_from([0.4, 0.8, 1.0]),
    ),
    max_size=8,
)


def test_the_longest_of_two_spans_counts() -> None:
    assert resolve([span(0, 5), span(0, 9, "URL")]) == [span(0, 9, "URL")]


def test_of_equally_long_ones_the_surer_counts_then_the_first_type() -> None:
    assert resolve([span(0, 5, "URL", 0.4), span(0, 5, "PIN", 0.9)]) == [span(0, 5, "PIN", 0.9)]
    assert resolve([span(0, 5, "URL"), span(0, 5, "PIN")]) == [span(0, 5, "PIN")]


def test_what_the_loser_had_beyond_the_winner_stays_covered() -> None:
    assert resolve([span(0, 10, "URL"), span(8, 14)]) == [span(0, 10, "URL"), span(10, 14)]


@given(SPANS)
def test_no_two_chosen_spans_overlap_and_every_found_character_is_covered(spans: list[Span]) -> None:
    chosen = resolve(spans)
    covered = [place for one in chosen for place in range(one.start, one.end)]
    assert len(covered) == len(set(covered))
    assert set(covered) == {place for one in spans for place in range(one.start, one.end)}


@given(SPANS, st.randoms())
def test_the_order_of_the_finds_changes_nothing(spans: list[Span], random: Random) -> None:
    shuffled = list(spans)
    random.shuffle(shuffled)
    assert resolve(shuffled) == resolve(spans)
