"""One known set of conversations, written in every vendor's shape, is read back as it is known to be."""

import tempfile
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.pipeline.received import ingested, quarantined, texts
from tests.pipeline.sources.vendors import VENDORS, WITHOUT_NOTES, Known, Message

WORDS: Final = (
    "hello", "Zoë", "naïve", "مرحبا بك", "שלום", "😀", "👩‍👩‍👧", "日本語", "<b>", "&", "a<b", "555-0101",
    "«ça»", '"quoted"', "it's",
    "50%", "ñandú", "line;semicolon,comma", "ﬁ", "Ⅳ", "🇫🇷",
)  # fmt: skip
NAMES: Final = ("Jo Fox", "Zoë Ångström", "محمد علي", "李雷", "O'Neill-Łódź", "")

text = st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join)
message = st.builds(Message, st.sampled_from(["customer", "agent"]), text, st.booleans())
first = st.builds(Message, st.just("customer"), text, st.just(value=False))


def known(number: int) -> st.SearchStrategy[Known]:
    """A conversation of up to six messages."""
    rest = st.lists(message, max_size=5)
    return st.builds(
        lambda customer, agent, opening, more: Known(number, customer, agent, [opening, *more]),
        st.sampled_from(NAMES),
        st.sampled_from(NAMES),
        first,
        rest,
    )


several = st.integers(1, 4).flatmap(lambda count: st.tuples(*(known(number) for number in range(1, count + 1))))
spoken = Known(
    99, "Jo Fox", "Al Roe", [Message("customer", "Hi"), Message("agent", "Hello"), Message("agent", "rude", is_note=True)]
)


@pytest.mark.parametrize("vendor", VENDORS)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(several)
def test_reading_back_gives_the_conversations_that_were_written(vendor: str, every: tuple[Known, ...]) -> None:
    write, mapping = VENDORS[vendor]
    every = (*every, spoken)  # so that there is something to read, whatever hypothesis leaves empty
    has_notes = vendor not in WITHOUT_NOTES
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "in"
        for name, content in write(every).items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        table = ingested(folder, mapping)
        expected = sorted(turns for each in every if (turns := each.expected(has_notes=has_notes)))

        assert sorted(texts(table).values()) == expected
        assert quarantined(table) == []
        assert (
            table.manifest.counts.get("private_notes", 0)
            + sum(count for name, count in table.manifest.counts.items() if name == "events.note")
            == sum(each.is_note for one in every for each in one.messages) * has_notes
        )
