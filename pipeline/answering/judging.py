"""A second opinion: a model looks at an answer that met every rule, with a rubric, and says accept or reject.

What a judge says counts for nothing until people said the same often enough: `ticketmill judge validate` asks it about
answers that people have labelled, and below the bounds of params its verdicts are counted but decide nothing.

Sources: Zheng et al., "Judging LLM-as-a-Judge with MT-Bench and Chatbot Arena", 2023 (verdicts that follow the order of
what is shown); Cohen, "A coefficient of agreement for nominal scales", 1960.
"""

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from pipeline.answering.provider_params import JudgeParams, Settings
from pipeline.answering.request import Answer, Gap, Message, Question, Reply, Request, Settled, Turn
from pipeline.answering.sending import Dialogue, Fetch
from pipeline.answering.spreadsheet import read_rows
from pipeline.errors import SourceError
from pipeline.prompts import load_prompt
from pipeline.rules.residual_identifier import kinds
from pipeline.spans import Span

Verdict = Literal["accept", "reject", "unparsable"]

FLIPPED: Final = "flipped"

COLUMNS: Final = ("judge", "item_id", "human", "verdict", "swapped", "length")
"""Of what `ticketmill judge validate` writes: yes or no by people, by the judge, by the judge in the other order;
characters of the answer. The evidence `judges` of readiness."""

YES: Final = frozenset({"yes", "y", "true", "1", "accept"})
NO: Final = frozenset({"no", "n", "false", "0", "reject"})

MOST_NAMED: Final = 20
"""Items that an error names."""

DRAWS: Final = 2_000
"""Bootstrap samples of an interval."""

SIZE_OF_DRAW: Final = 2**32


def judge(question: Question, settled: Settled, endpoint: str, settings: Settings, *, decides: bool) -> Dialogue[Settled]:
    """What becomes of a question whose answer met every rule, once the judge has spoken."""
    answer = settled.given
    assert settings.judge is not None
    assert isinstance(answer, Answer)
    known = [f"{hit.question}\n{hit.answer}" for hit in answer.grounding]
    asked = [_compose(question.turns, known, answer.text, endpoint, settings, swapped=swapped) for swapped in (False, True)]
    said: list[str] = []
    for request in asked if _is_drawn(asked[0], settings.judge) else asked[:1]:
        reply = yield request
        if isinstance(reply, Gap):
            # not judged: an answer must not pass for that, where the judge decides
            return Settled(reply, settled.rejected) if decides else settled
        said.append(_read(reply))
    verdict = said[0] if len(set(said)) == 1 else FLIPPED
    if verdict == "accept" or not decides:
        return Settled(answer, settled.rejected, verdict)
    reason = f"judge_{verdict}"
    return Settled(Gap(reason), (*settled.rejected, (reason, answer.text)), verdict)


def _compose(
    turns: Sequence[Turn], known: Sequence[str], reply: str, endpoint: str, settings: Settings, *, swapped: bool
) -> Request:
    params = settings.judge
    assert params is not None
    text = load_prompt(params.prompt).render(turns=turns, known=known, reply=reply, swapped=swapped)
    model = settings.model
    return Request(
        endpoint,
        params.model or model.name,
        (Message("user", text),),
        model.temperature,
        params.max_tokens,
        model.length_field,
        model.seed,
        model.extra,
    )


def _is_drawn(request: Request, params: JudgeParams) -> bool:
    return int(request.key[:8], 16) < params.swapped_share * SIZE_OF_DRAW


def _read(reply: Reply) -> Verdict:
    try:
        verdict = reply.choices[0].read_json()["verdict"]
    except (ValueError, TypeError, LookupError):
        return "unparsable"
    match verdict.strip().lower() if isinstance(verdict, str) else None:
        case "accept":
            return "accept"
        case "reject":
            return "reject"
    return "unparsable"


@dataclass(frozen=True)
class Item:
    """An answer that people judged."""

    item_id: str
    question: str
    answer: str
    knowledge: str
    human: bool


@dataclass(frozen=True)
class Judged:
    """One item, and what the judge says of it in either order; what cannot be read is no acceptance."""

    item: Item
    verdict: Verdict
    swapped: Verdict


@dataclass(frozen=True)
class Agreement:
    """How far a judge is to be trusted."""

    judge: str
    items: int
    kappa: float
    """Cohen's, with people: 1 = always agree, 0 = as chance would."""

    kappa_low: float
    """Lower end of the 95 % interval, by bootstrap."""

    kappa_high: float
    flip_rate: float
    """Share of items whose verdict changes with the order."""

    unparsable: int
    may_decide: bool


def judge_items(items: Sequence[Item], endpoint: str, settings: Settings, fetch: Fetch) -> list[Judged]:
    """Have every item judged in both orders.

    Raises:
        SourceError: the judge could not be asked about every item.
    """

    def ask(item: Item) -> Dialogue[Judged | Gap]:
        said: list[Verdict] = []
        for swapped in (False, True):
            known = [item.knowledge] if item.knowledge else []
            turns = [Turn("t0", "customer", item.question)]
            reply = yield _compose(turns, known, item.answer, endpoint, settings, swapped=swapped)
            if isinstance(reply, Gap):
                return reply
            said.append(_read(reply))
        return Judged(item, *said)

    judged = fetch(ask(item) for item in items)
    missing = [(item.item_id, gap) for item, gap in zip(items, judged, strict=True) if isinstance(gap, Gap)]
    if missing:
        named = "; ".join(f"{item_id} {gap.reason} {gap.detail}".rstrip() for item_id, gap in missing[:MOST_NAMED])
        raise SourceError(
            f"judge: {len(missing)} of {len(judged)} items got no verdict ({named}); run again, verdicts so far are kept, or "
            "leave out what stays without one"
        )
    return [each for each in judged if isinstance(each, Judged)]


def name_of(settings: Settings) -> str:
    """The judge: its model and the version of its rubric."""
    assert settings.judge is not None
    return f"{settings.judge.model or settings.model.name}/{load_prompt(settings.judge.prompt).version}"


def agreement(name: str, rows: Sequence[tuple[bool, bool, bool, bool]], params: JudgeParams) -> Agreement:
    """Agreement of a judge with people over (human, verdict, swapped, unparsable) per item."""
    import numpy as np  # noqa: PLC0415  # only where agreement is counted

    human, verdict, swapped, unparsable = np.array(rows, dtype=bool).reshape(-1, 4).T
    if not len(human):
        return Agreement(name, 0, 0.0, 0.0, 0.0, 1.0, 0, may_decide=False)
    draw = np.random.default_rng(1).integers(0, len(human), (DRAWS, len(human)))
    low, high = np.quantile(_kappa(human[draw], verdict[draw]), (0.025, 0.975))
    flips = float((verdict != swapped).mean())
    good = len(human) >= params.min_items and low >= params.min_kappa and flips <= params.max_flips
    return Agreement(
        name,
        len(human),
        round(float(_kappa(human, verdict)), 4),
        round(float(low), 4),
        round(float(high), 4),
        round(flips, 4),
        int(unparsable.sum()),
        may_decide=bool(good),
    )


def _kappa(one: Any, other: Any) -> Any:
    import numpy as np  # noqa: PLC0415  # as above

    observed = (one == other).mean(axis=-1)
    a, b = one.mean(axis=-1), other.mean(axis=-1)
    by_chance = a * b + (1 - a) * (1 - b)
    with np.errstate(invalid="ignore", divide="ignore"):  # all say the same: there is nothing to agree on beyond chance
        return np.where(by_chance < 1, (observed - by_chance) / (1 - by_chance), 0.0)


def may_decide(settings: Settings) -> bool:
    """Whether the judge of these params was found to agree with people.

    Raises:
        SourceError: the file of labels is not what it promises.
    """
    params = settings.judge
    if params is None or not params.labels.exists():
        return False
    name, rows = name_of(settings), []
    for number, row in enumerate(_read_table(params.labels), 1):
        if row.get("judge") == name:
            cells = [_yes(row.get(column), params.labels, number) for column in ("human", "verdict", "swapped")]
            rows.append((cells[0], cells[1], cells[2], False))
    return agreement(name, rows, params).may_decide


def write_labels(path: Path, name: str, judged: Sequence[Judged]) -> None:
    """Put the verdicts of one judge in the place of its earlier ones; those of other judges stay."""
    others = [row for row in _read_table(path) if row.get("judge") != name] if path.exists() else []
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([row.get(column) or "" for column in COLUMNS] for row in others)
    for each in judged:
        said = (each.item.human, each.verdict == "accept", each.swapped == "accept")
        writer.writerow([name, each.item.item_id, *("yes" if cell else "no" for cell in said), len(each.item.answer)])
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.writing")
    unfinished.write_text(out.getvalue(), "utf-8")
    unfinished.replace(path)


def read_items(path: Path) -> list[Item]:
    """Answers that people judged: CSV or JSON lines with item_id, question, answer, human (yes or no), optionally knowledge.

    Raises:
        SourceError: a row lacks a cell, is there twice, or holds something shaped like a personal detail.
    """
    items: dict[str, Item] = {}
    for number, row in enumerate(_read_table(path), 1):
        cells = {name: (row.get(name) or "").strip() for name in ("item_id", "question", "answer", "knowledge")}
        missing = [name for name in ("item_id", "question", "answer") if not cells[name]]
        if missing:
            raise SourceError(f"{path}: row {number} has no {missing[0]}; fill it in")
        if cells["item_id"] in items:
            raise SourceError(f"{path}: row {number} has the item_id of an earlier one; keep one")
        if found := kinds("\n".join(cells.values())):
            raise SourceError(f"{path}: row {number} holds something like {found[0]}; only scrubbed text is sent to a model")
        items[cells["item_id"]] = Item(**cells, human=_yes(row.get("human"), path, number))
    if not items:
        raise SourceError(f"{path}: holds no labelled answer")
    return list(items.values())


def require_nobody(
    items: Sequence[Item],
    find: Callable[[Sequence[str]], Sequence[Sequence[Span]]],
    scrubbed: Callable[[Sequence[str]], set[str]],
) -> None:
    """Make sure that no item holds a personal detail but in lines that went through scrub: stand-ins look like details, too.

    Args:
        items: what people labelled, in whatever file.
        find: looks for details in single texts.
        scrubbed: which of these lines stand in a table that went through scrub.
    Raises:
        SourceError: one does; names items by id, and types.
    """
    lines = [(item.item_id, line) for item in items for line in _lines_of(item)]
    told = list(dict.fromkeys(line for _, line in lines))
    kinds_of = {line: {span.entity_type for span in spans} for line, spans in zip(told, find(told), strict=True) if spans}
    known = scrubbed(list(kinds_of)) if kinds_of else set()
    bad: dict[str, set[str]] = {}
    for item_id, line in lines:
        if line in kinds_of and line not in known:
            bad.setdefault(item_id, set()).update(kinds_of[line])
    if bad:
        named = "; ".join(f"{item_id} {' '.join(sorted(types))}" for item_id, types in list(bad.items())[:MOST_NAMED])
        raise SourceError(
            f"judge: {len(bad)} items hold what looks like a person's detail, in lines that never went through scrub ({named}); "
            "label texts of a scrubbed table, or remove it; nothing was sent"
        )


def _lines_of(item: Item) -> list[str]:
    whole = (line.strip() for cell in (item.question, item.answer, item.knowledge) for line in cell.splitlines())
    return [line for line in whole if line]


def _yes(cell: Any, path: Path, number: int) -> bool:
    word = str(cell or "").strip().casefold()
    if word not in YES | NO:
        raise SourceError(f"{path}: row {number} says neither yes nor no where it has to")
    return word in YES


def _read_table(path: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = read_rows(path)
    if any(not isinstance(row, dict) or any(not isinstance(cell, str | bool | None) for cell in row.values()) for row in rows):
        raise SourceError(f"{path}: has a row that is not of texts under the names of its columns")
    return rows
