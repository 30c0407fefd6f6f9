"""A spaCy pipeline of the user's own is loaded from disk and read like our model."""

from pathlib import Path

import pytest
import spacy

from pipeline.errors import ParamsError
from pipeline.scrub import make_look, run
from pipeline.tables import Table
from tests.build import MEANS
from tests.pipeline.scrubbing import PATTERNS, ingested, ingested_table, talk


@pytest.fixture
def model(tmp_path: Path) -> Path:
    pipeline = spacy.blank("en")
    ruler = pipeline.add_pipe("entity_ruler")
    ruler.add_patterns(
        [{"label": "PER", "pattern": "Quorvik"}, {"label": "GPE", "pattern": "Zyxandia"}, {"label": "DATE", "pattern": "noon"}]
    )  # type: ignore[attr-defined]  # of the ruler
    pipeline.to_disk(tmp_path / "model")
    return tmp_path / "model"


def test_what_a_pipeline_of_ones_own_finds_is_found(model: Path) -> None:
    look = make_look(PATTERNS.model_copy(update={"models": [f"spacy:{model}"]}))
    found = [(span.start, span.end, span.entity_type) for span in look(["at noon Quorvik left Zyxandia"])[0]]
    assert sorted(found) == [(8, 15, "PERSON"), (21, 29, "LOCATION")]


def test_a_pipeline_that_is_not_there_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(
        ParamsError, match=r"spacy:en_not_there cannot be loaded \(OSError\); install the package or name its folder"
    ):
        make_look(PATTERNS.model_copy(update={"models": ["spacy:en_not_there"]}))
    spacy.blank("en").to_disk(tmp_path / "blank")
    with pytest.raises(ParamsError, match="finds no named entities"):
        make_look(PATTERNS.model_copy(update={"models": [f"spacy:{tmp_path / 'blank'}"]}))


def test_a_pipeline_that_learned_a_name_reads_what_an_older_one_read(model: Path, tmp_path: Path) -> None:
    chosen = PATTERNS.model_copy(update={"models": [f"spacy:{model}"]})
    source = ingested_table(tmp_path / "ingested", [ingested(talk("at noon Brimquist left"))]).folder

    def said() -> str:
        run(source, tmp_path / "scrubbed", chosen, MEANS)
        return str(Table(tmp_path / "scrubbed").scan().collect()["turns"][0][0]["text"])

    assert said() == "at noon Brimquist left"
    learned = spacy.load(model)
    learned.get_pipe("entity_ruler").add_patterns([{"label": "PER", "pattern": "Brimquist"}])  # type: ignore[attr-defined]  # as above
    learned.to_disk(model)

    assert "Brimquist" not in said()
