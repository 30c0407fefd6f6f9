"""M08 format conformity: answers against the owner's style."""

import json
from collections.abc import Callable

import polars as pl

from checks.bounds import interval
from checks.readiness.corpus import Corpus
from checks.readiness.evidence import Evidence
from checks.readiness.measured import MAX_RECORDS, Measured, Reading, unknown
from checks.readiness.settings import ReadinessParams, Style
from pipeline.errors import ParamsError


def read(corpus: Corpus, _evidence: Evidence, params: ReadinessParams) -> Reading:
    """Share of answers that meet every rule of the style; the breakdown says which rule and which source."""
    style = params.style
    if not style.is_given:
        return Reading(tuple(unknown("M08", "no style is declared (readiness.style)", "format_conformity")))
    answers = (
        corpus.turns.filter(pl.col("speaker") == "agent")
        .with_columns(is_last=pl.col("position") == pl.col("position").max().over("conversation_id"))
        .join(
            corpus.conversations.select("conversation_id", "topic", "source", "language", "agent_key"),
            on="conversation_id",
            maintain_order="left",
        )
    )
    if answers.is_empty():
        return Reading(tuple(unknown("M08", "no answers", "format_conformity")))
    try:
        judged = answers.with_columns(**_rules(style, answers))
    except pl.exceptions.PolarsError as error:
        raise ParamsError("readiness.style: a pattern is not a regular expression of the Rust kind") from error
    names = [name for name in judged.columns if name.startswith("meets_")]
    judged = judged.with_columns(good=pl.all_horizontal(names))
    bad = judged.filter(~pl.col("good"))["conversation_id"].unique().sort().to_list()
    values = [_share(judged, None, tuple(bad[:MAX_RECORDS]))]
    values += [_share(rows, str(topic)) for (topic,), rows in judged.group_by("topic", maintain_order=True)]
    table = (
        judged.group_by("source", agent=pl.col("agent_key").fill_null("unknown"))
        .agg(answers=pl.len(), **{name.removeprefix("meets_"): (~pl.col(name)).sum() for name in names})
        .sort("answers", "source", "agent", descending=[True, False, False])
        .head(50)
    )
    return Reading(tuple(values), {"style_faults": table})


def _share(judged: pl.DataFrame, topic: str | None, records: tuple[str, ...] = ()) -> Measured:
    good = int(judged["good"].sum())
    low, high = interval(good, judged.height)
    return Measured("M08", "format_conformity", good / judged.height, topic, low, high, judged.height, records=records)


def _rules(style: Style, answers: pl.DataFrame) -> dict[str, pl.Expr | pl.Series]:
    text, last = pl.col("text"), pl.col("is_last")
    rules: dict[str, pl.Expr | pl.Series] = {}
    if style.pattern is not None:
        rules["meets_pattern"] = text.str.contains(style.pattern)
    if style.opening is not None:
        rules["meets_opening"] = ~last | text.str.contains(f"^(?:{style.opening})")
    if style.closing is not None:
        rules["meets_closing"] = ~last | text.str.contains(f"(?:{style.closing})\\s*$")
    if style.min_characters is not None:
        rules["meets_min_characters"] = text.str.len_chars() >= style.min_characters
    if style.max_characters is not None:
        rules["meets_max_characters"] = text.str.len_chars() <= style.max_characters
    if style.languages is not None:
        rules["meets_language"] = pl.col("language").is_in(style.languages).fill_null(value=False)
    if style.json_schema is not None:
        meets = _schema_judge(style.json_schema)
        rules["meets_json_schema"] = pl.Series([meets(one) for one in answers["text"].to_list()], dtype=pl.Boolean)
    return rules


def _schema_judge(schema: dict[str, object]) -> Callable[[str], bool]:
    import jsonschema  # type: ignore[import-untyped]  # noqa: PLC0415  # only for a declared schema; ships no types

    try:
        jsonschema.Draft202012Validator.check_schema(schema)
    except jsonschema.SchemaError as error:
        raise ParamsError("readiness.style.json_schema: is not a JSON Schema of draft 2020-12") from error
    validator = jsonschema.Draft202012Validator(schema)

    def meets(text: str) -> bool:
        try:
            return bool(validator.is_valid(json.loads(text)))
        except ValueError:
            return False

    return meets
