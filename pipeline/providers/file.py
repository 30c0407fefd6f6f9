"""People answer, in a spreadsheet: questions go out as CSV or JSON lines, answers come back the same way.

A row is matched by conversation and by a hash of everything said in it, so an answer never lands under words it was not
written for. Text that a spreadsheet would take for a formula is quoted with an apostrophe (OWASP, "CSV Injection").
"""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from pipeline.answering.courtesies import asks_nothing
from pipeline.answering.provider_params import Settings
from pipeline.answering.request import Answer, Answerer, Gap, Question, Settle, Settled
from pipeline.answering.retrieval import Exchange, Index, RetrievalParams
from pipeline.answering.spreadsheet import read_rows
from pipeline.errors import SourceError
from pipeline.tables import translated_errors

NAME: Final = "file"
COLUMNS: Final = ("conversation_id", "turn_id", "turn_hash", "conversation", "suggestion", "why", "answer")
NEEDED: Final = ("conversation_id", "turn_hash", "answer")
ALIKE: Final = RetrievalParams(max_indexed=2_000, max_hits=1, min_similarity=0.3, min_words=1)
"""Questions that others are compared with, and the cosine of TF-IDF from which two ask nearly the same."""

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def answerer(settings: Settings) -> Answerer:
    """Answers of people; a question without one waits, and is written to `settings.file.questions`, what many ask first.

    What asks for nothing, such as thanks, is the gap `needs_no_answer` and not written.

    Raises:
        SourceError: the file of answers is not what it promises.
    """
    answers: dict[str, tuple[str, str]] | None = None
    waiting: list[tuple[Question, Gap]] = []

    def answer(questions: Iterable[Question], settle: Settle) -> Sequence[Settled]:
        nonlocal answers
        if answers is None:
            answers = _read_answers(settings.file.answers)
        settled = list[Settled]()
        for question in questions:
            each = _answer(question, answers, settle)
            if isinstance(each.given, Gap) and each.given.may_pass:
                waiting.append((question, each.given))
            settled.append(each)
        _write_questions(settings.file.questions, [_row(question, gap) for question, gap in _most_asked_first(waiting)])
        return settled

    return answer


def _answer(question: Question, answers: Mapping[str, tuple[str, str]], settle: Settle) -> Settled:
    turn_hash, text = answers.get(question.conversation_id, ("", ""))
    if not text:
        return Settled(Gap("needs_no_answer") if asks_nothing(question.turns) else Gap("awaiting_answer", may_pass=True))
    if turn_hash != question.hash:
        return Settled(Gap("stale_answer", may_pass=True))
    return settle(question, (Answer(text, NAME, NAME, None, (), is_human=True),))


def _most_asked_first(waiting: Sequence[tuple[Question, Gap]]) -> list[tuple[Question, Gap]]:
    """Those first that resemble most conversations of all that wait, by a draw of them, and what dedupe dropped for each."""
    questions = {question.conversation_id: question for question, _ in waiting}
    asked = {conversation_id: _asked_in(question) for conversation_id, question in questions.items()}
    drawn = Index([Exchange(each, asked[each], "") for each in sorted(asked)[: ALIKE.max_indexed]], ALIKE)
    counts = drawn.weigh_alike(list(asked.values()), {each: question.asked_by for each, question in questions.items()})
    often = dict(zip(asked, counts, strict=True))

    def place(pair: tuple[Question, Gap]) -> tuple[int, str]:
        question, _ = pair
        return -max(often[question.conversation_id], question.asked_by), question.conversation_id

    return sorted(waiting, key=place)


def _asked_in(question: Question) -> str:
    return "\n".join(turn.text for turn in question.turns if turn.speaker == "customer")


def _row(question: Question, gap: Gap) -> dict[str, str]:
    """A question as it goes out; `why` says what was wrong with the answer that came back, if one did, and where in it."""
    why = "" if gap.reason == "awaiting_answer" else ": ".join(filter(None, (gap.reason, gap.detail)))
    said = "\n".join(f"{turn.speaker}: {turn.text}" for turn in question.turns)
    suggestion = question.hits[0].answer if question.hits else ""
    values = (question.conversation_id, question.turn_id, question.hash, said, suggestion, why, "")
    return dict(zip(COLUMNS, values, strict=True))


def _write_questions(path: Path, rows: Sequence[Mapping[str, str]]) -> None:
    out = io.StringIO(newline="")
    if path.suffix == ".jsonl":
        out.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    else:
        writer = csv.DictWriter(out, COLUMNS)
        writer.writeheader()
        writer.writerows({name: f"'{text}" if text.startswith(FORMULA) else text for name, text in row.items()} for row in rows)
    with translated_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f"{path.name}.writing")
        unfinished.write_text(
            out.getvalue(), "utf-8-sig" if path.suffix == ".csv" else "utf-8", newline=""
        )  # Excel needs the mark
        unfinished.replace(path)


def _read_answers(path: Path) -> dict[str, tuple[str, str]]:
    """conversation_id -> (turn_hash, answer); rows without an answer are left out."""
    if not path.exists():
        return {}
    answers: dict[str, tuple[str, str]] = {}
    for number, row in enumerate(read_rows(path), 1):
        if not isinstance(row, dict) or any(not isinstance(row.get(name), str) for name in NEEDED):
            raise SourceError(f"{path}: row {number} lacks one of the columns {', '.join(NEEDED)}")
        answer = row["answer"].strip()
        if answer.startswith("'") and answer[1:].startswith(FORMULA):
            answer = answer[1:]
        if not answer:
            continue
        if row["conversation_id"] in answers:
            raise SourceError(f"{path}: row {number} answers {row['conversation_id']} a second time; keep one")
        answers[row["conversation_id"]] = (row["turn_hash"], answer)
    return answers
