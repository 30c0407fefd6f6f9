"""Blind audit sheets: draw them, read them back. A sheet holds scrubbed conversations; evidence holds only the answers."""

import csv
import io
import re
import zipfile
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from checks.bounds import clean_sample, upper
from checks.readiness.cells import read_cells
from checks.readiness.corpus import Corpus, draw
from checks.readiness.evidence import KINDS, NO, RUBRIC, YES, Evidence, read_kind, store
from checks.readiness.measures.audits import kappa
from checks.readiness.settings import ReadinessParams
from pipeline.errors import ParamsError, SourceError
from pipeline.similarity.minhash import Array
from pipeline.tables import translated_errors

QUESTIONS: Final = (*RUBRIC, "identifier_left")

SHEET: Final = ("number", "conversation_id", "conversation", "auditor", *QUESTIONS, "notes", "text_digest", "drawn_from")
"""`notes` are for the auditor and stay in the sheet; `text_digest` is of what the auditor judges, so that a judgement is known as
old when the conversation reads otherwise; `drawn_from` is the topic that the sheet was asked for, empty for the whole set."""

STRATA: Final = ("topic", "source", "language", "channel", "product")

FORMULA: Final = re.compile(r"^[=+\-@\t\r]")
"""What a spreadsheet would run. Source: OWASP, "CSV Injection" (read November 2026)."""

UNPRINTABLE: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")

CODE_PAGE: Final = "cp1252"
"""What a spreadsheet saves as CSV where nobody asks for UTF-8; ids, yes and no are the same in all of them."""

MAX_CELL: Final = 32_000
"""Characters: a cell of a spreadsheet holds 32,767."""


def draw_sheet(
    corpus: Corpus, evidence: Evidence, params: ReadinessParams, n: int, strata: list[str], topic: str | None = None
) -> list[dict[str, Any]]:
    """Up to `n` conversations, of the whole set or of one topic, in random order.

    First those that were audited and read otherwise since, then those that nobody audited, spread over the strata by their size.
    What says where an answer comes from (source, origin, model, split) is left out: the audit is blind.

    Raises:
        ParamsError: a stratum is no column, or nothing of that topic is exported.
    """
    if strange := [name for name in strata if name not in STRATA]:
        raise ParamsError(f"--stratify: no column {strange[0]!r}; use {', '.join(STRATA)}")
    rows = corpus.conversations.select("conversation_id", "text_digest", *STRATA)
    if topic is not None:
        rows = rows.filter(pl.col("topic") == topic)
        if rows.is_empty():
            raise ParamsError(f"--topic: nothing of {topic!r} is exported; `ticketmill readiness assess` lists the topics")
    again = pl.Series("conversation_id", [], dtype=pl.String)
    if (audit := evidence.get("audit")) is not None:
        of_kind = audit.filter(pl.col("drawn_from").eq_missing(pl.lit(topic, pl.String)))
        rows = rows.join(audit, on=["conversation_id", "text_digest"], how="anti")
        again = (
            rows.filter(pl.col("conversation_id").is_in(of_kind["conversation_id"].implode()))["conversation_id"].sort().head(n)
        )
        rows = rows.join(audit, on="conversation_id", how="anti")
    chosen = pl.concat([again, stratified(rows, strata, n - len(again), params.seed)])
    digests = dict(corpus.conversations.select("conversation_id", "text_digest").iter_rows())
    spoken = corpus.turns.filter(pl.col("conversation_id").is_in(chosen.implode()))
    label = pl.col("speaker").replace_strict({"customer": "Customer", "agent": "Agent"}, default="Tool")
    texts = dict(
        spoken.group_by("conversation_id", maintain_order=True)
        .agg(text=pl.concat_str(label, pl.lit(": "), pl.col("text")).str.join("\n"))
        .iter_rows()
    )
    shuffled = pl.DataFrame({"id": chosen, "draw": draw(chosen, params.seed + 1)}).sort("draw")["id"].to_list()
    blank = {**dict.fromkeys(SHEET, ""), "drawn_from": topic or ""}
    return [
        {
            **blank,
            "number": number,
            "conversation_id": one,
            "conversation": texts.get(one, "")[:MAX_CELL],
            "text_digest": digests[one],
        }
        for number, one in enumerate(shuffled, 1)
    ]


def stratified(rows: pl.DataFrame, strata: list[str], n: int, seed: int) -> pl.Series:
    """Ids of a proportional sample: every stratum gets its share of `n`, rounded by largest remainder."""
    if n >= rows.height:
        return rows["conversation_id"].sort()
    drawn = rows.with_columns(draw=draw(rows["conversation_id"], seed)).sort("draw")
    sizes = drawn.group_by(strata or [pl.lit(0).alias("all")]).agg(size=pl.len()).sort(pl.exclude("size"))
    exact = sizes["size"] * n / rows.height
    whole = exact.floor().cast(pl.Int64)
    places = pl.DataFrame({"rest": exact - whole}).with_row_index().sort(["rest", "index"], descending=[True, False])
    lucky = places["index"].head(n - int(whole.sum()))
    quota = sizes.with_columns(quota=whole + pl.Series(range(sizes.height)).is_in(lucky.implode()).cast(pl.Int64)).drop("size")
    keyed = drawn if strata else drawn.with_columns(all=pl.lit(0))
    on = strata or ["all"]
    ranked = keyed.with_columns(rank=pl.int_range(pl.len()).over(on)).join(quota, on=on, how="left", nulls_equal=True)
    return ranked.filter(pl.col("rank") < pl.col("quota"))["conversation_id"].sort()


def write_sheet(rows: list[dict[str, Any]], path: Path) -> None:
    """Write the sheet as CSV or XLSX, by its name; no cell is a formula.

    Raises:
        ParamsError: the name is of neither.
    """
    if path.suffix.lower() not in {".csv", ".xlsx"}:
        raise ParamsError(f"{path}: a sheet is a .csv or .xlsx file; name it so")
    safe = [{**row, "conversation": UNPRINTABLE.sub(" ", row["conversation"])} for row in rows]
    with translated_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f"{path.name}.writing")
        if path.suffix.lower() == ".xlsx":
            unfinished.write_bytes(_workbook(safe))
        else:
            text = io.StringIO()
            writer = csv.DictWriter(text, SHEET, lineterminator="\n")
            writer.writeheader()
            writer.writerows({name: _harmless(value) for name, value in row.items()} for row in safe)
            unfinished.write_text(text.getvalue(), "utf-8-sig")  # without its mark a spreadsheet takes UTF-8 for a code page
        unfinished.replace(path)


def _harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and FORMULA.match(value) else value


def _workbook(rows: list[dict[str, Any]]) -> bytes:
    from openpyxl import Workbook  # type: ignore[import-untyped]  # noqa: PLC0415  # untyped; only where a workbook is asked for
    from openpyxl.styles import Alignment  # type: ignore[import-untyped]  # noqa: PLC0415  # as above
    from openpyxl.worksheet.datavalidation import DataValidation  # type: ignore[import-untyped]  # noqa: PLC0415  # as above

    book = Workbook()
    sheet = book.active
    sheet.title = "audit"
    sheet.append(list(SHEET))
    for row in rows:
        sheet.append([row[name] for name in SHEET])
    for line in sheet.iter_rows(min_row=2, max_col=len(SHEET)):
        for cell in line:
            if isinstance(cell.value, str):
                cell.data_type = "s"  # what begins with "=" is what a customer wrote, and no formula
            cell.alignment = Alignment(wrap_text=True, vertical="top")
    answers = DataValidation(type="list", formula1='"yes,no"', allow_blank=True)
    first, last = (chr(ord("A") + SHEET.index(name)) for name in (QUESTIONS[0], QUESTIONS[-1]))
    answers.add(f"{first}2:{last}{len(rows) + 1}")
    sheet.add_data_validation(answers)
    sheet.freeze_panes = "D2"
    sheet.column_dimensions["C"].width = 90
    buffer = io.BytesIO()
    book.save(buffer)
    return _timeless(buffer.getvalue())


def _timeless(workbook: bytes) -> bytes:
    """The same workbook without the times it was made at: equal content, equal bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook)) as given, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as taken:
        for name in sorted(given.namelist()):
            content = given.read(name)
            if name == "docProps/core.xml":
                content = re.sub(rb"<dcterms:(\w+)[^>]*>[^<]*</dcterms:\1>", b"", content)
            taken.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content)
    return out.getvalue()


def read_sheet(path: Path) -> pl.DataFrame:
    """The answers of a filled-in sheet, as evidence; rows without any answer are left out.

    Raises:
        SourceError: the file is no sheet, an answer is neither yes nor no, or an answered row names no auditor.
    """
    given = _read_workbook(path) if path.suffix.lower() == ".xlsx" else [row for _, row in read_cells(path, CODE_PAGE)[1]]
    cells = [{heading.strip().lower(): cell for heading, cell in row.items()} for row in given]
    if not cells or not {"conversation_id", "auditor", *QUESTIONS} <= set(cells[0]):
        raise SourceError(f"{path}: is not an audit sheet; draw one with `ticketmill readiness sample`, save it as .csv or .xlsx")
    answered = []
    for row in cells:
        answers = {name: (row.get(name) or "").strip().lower() for name in QUESTIONS}
        where = f"{path}: number {row.get('number', '?')}"
        for name, answer in answers.items():
            if answer and answer not in YES | NO:
                raise SourceError(f"{where}: {name} is neither yes nor no; correct the cell")
        if any(answers.values()):
            if not (row.get("auditor") or "").strip():
                raise SourceError(f"{where}: has answers but no auditor; fill in who judged")
            if not row["conversation_id"].strip():
                raise SourceError(f"{where}: has answers but no conversation_id; take it from the sheet that was drawn")
            answered.append(
                {
                    "conversation_id": row["conversation_id"].strip(),
                    "auditor": row["auditor"].strip(),
                    "text_digest": row.get("text_digest") or None,
                    "drawn_from": row.get("drawn_from") or None,
                    **answers,
                }
            )
    if not answered:
        raise SourceError(
            f"{path}: no row is filled in; answer yes or no in the columns {', '.join(QUESTIONS)}, and name the auditor"
        )
    columns = KINDS["audit"]
    return pl.DataFrame(
        [{**row, **{name: None if row[name] == "" else row[name] in YES for name in QUESTIONS}} for row in answered],
        schema=dict(columns),
    )


def _read_workbook(path: Path) -> list[dict[str, str]]:
    from openpyxl import load_workbook  # noqa: PLC0415  # only for a workbook

    try:
        lines = load_workbook(io.BytesIO(path.read_bytes()), read_only=True, data_only=True).active.iter_rows(values_only=True)
        heading = ["" if cell is None else str(cell) for cell in next(lines)]
        return [
            {name: "" if cell is None else str(cell) for name, cell in zip(heading, line, strict=False)}
            for line in lines
            if any(cell is not None for cell in line)
        ]
    except FileNotFoundError:
        raise SourceError(f"{path}: no such file") from None
    except Exception as error:  # openpyxl raises what zipfile, its XML parser and StopIteration raise
        raise SourceError(f"{path}: cannot be read as an XLSX workbook") from error


@dataclass(frozen=True)
class Score:
    """What a sheet says, and how far that carries."""

    audited: int
    faults: dict[str, int]
    """Point of the rubric -> conversations that fail it."""
    defects: int
    defect_upper: float
    leaks: int
    leak_upper: float
    more_for_pilot: int
    """Clean audits still wanted for the leak bound of a pilot."""
    agreement: float | None
    """Share of answers on which two auditors of one conversation agree; None where nobody audited twice."""
    kappa: float | None
    """The same beyond chance (Cohen 1960); None where nobody audited twice, or neither found a fault."""


def score(answers: pl.DataFrame, params: ReadinessParams) -> Score:
    """Count what auditors found; a conversation that two judged fails where one of them says so."""
    one_each = answers.group_by("conversation_id").agg(pl.col(RUBRIC).min(), pl.col("identifier_left").max())
    faults = {name: int((~one_each[name].drop_nulls()).sum()) for name in RUBRIC}
    judged = one_each.filter(pl.any_horizontal(pl.col(RUBRIC).is_not_null()))
    defects = judged.filter(~pl.all_horizontal(pl.col(RUBRIC).fill_null(value=True))).height
    seen = one_each["identifier_left"].drop_nulls()
    leaks = int(seen.sum())
    one, other = _twice_judged(answers)
    return Score(
        audited=one_each.height,
        faults=faults,
        defects=defects,
        defect_upper=upper(defects, judged.height),
        leaks=leaks,
        leak_upper=upper(leaks, len(seen)),
        more_for_pilot=max(0, clean_sample(params.limits.max_leak_upper_pilot, leaks) - len(seen)),
        agreement=None if not len(one) else float((one == other).mean()),
        kappa=kappa(one, other) if one.any() or other.any() else None,
    )


def _twice_judged(answers: pl.DataFrame) -> tuple[Array, Array]:
    """Whether one auditor saw a fault, and whether another did, for every answer that two gave about one conversation."""
    at_fault = answers.with_columns(~pl.col(RUBRIC))
    pairs: list[tuple[bool, bool]] = []
    for _, rows in at_fault.unique(["conversation_id", "auditor"], maintain_order=True).group_by(
        "conversation_id", maintain_order=True
    ):
        for one, other in pairwise(rows.select(QUESTIONS).iter_rows()):
            pairs += [(a, b) for a, b in zip(one, other, strict=True) if a is not None and b is not None]
    both = np.array(pairs, bool).reshape(-1, 2)
    return both[:, 0], both[:, 1]


def keep_answers(path: Path, folder: Path, params: ReadinessParams) -> Score:
    """Read a sheet, keep its answers as evidence, and score all audits there are of what it was drawn from.

    What was at fault and was mended since counts, as it does in an assessment (checks/readiness/audited.py).
    """
    answers = read_sheet(path)
    store("audit", answers, folder)
    everything = read_kind("audit", folder / "audit.csv")
    return score(everything.filter(pl.col("drawn_from").is_in(answers["drawn_from"].implode(), nulls_equal=True)), params)
