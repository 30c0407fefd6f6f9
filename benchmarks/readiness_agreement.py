"""Do people reach the verdicts that readiness reaches? The table of a study that people did; docs/readiness.md says how.

    python benchmarks/readiness_agreement.py verdicts.csv --tool ticketmill

The CSV holds one row per set and judge: set, who, verdict. No figure is committed, for nobody has done the study yet.
"""

import argparse
import sys
from collections import Counter
from itertools import combinations
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from checks.readiness.cells import read_cells  # noqa: E402  # after the path is set
from checks.readiness.verdict import order  # noqa: E402  # as above
from pipeline.errors import SourceError  # noqa: E402  # as above

Verdicts = dict[str, dict[str, str]]
"""Judge -> set -> verdict."""


def read_verdicts(path: Path) -> Verdicts:
    """Strictly: known columns, known verdicts, one per set and judge.

    Raises:
        SourceError: something else.
    """
    header, rows = read_cells(path)
    if sorted(header) != ["set", "verdict", "who"]:
        raise SourceError(f"{path}: has other columns than set, who, verdict")
    found: Verdicts = {}
    for line, row in rows:
        if row["verdict"] not in order():
            raise SourceError(f"{path}: line {line}: no such verdict; one of {', '.join(order())}")
        if row["set"] in found.setdefault(row["who"], {}):
            raise SourceError(f"{path}: line {line}: this set has a verdict of this judge already")
        found[row["who"]][row["set"]] = row["verdict"]
    return found


def kappa(one: list[str], other: list[str]) -> float | None:
    """Agreement beyond chance over any number of verdicts (Cohen 1960); None where chance alone agrees always.

    >>> kappa(["pilot-first", "collect-or-repair"], ["pilot-first", "collect-or-repair"])
    1.0
    """
    n = len(one)
    agreed = sum(a == b for a, b in zip(one, other, strict=True)) / n
    first, second = Counter(one), Counter(other)
    chance = sum(first[verdict] * second[verdict] for verdict in first) / n**2
    return None if chance > 1 - 1e-12 else (agreed - chance) / (1 - chance)


def table(verdicts: Verdicts, tool: str) -> list[str]:
    """Markdown: every pair of judges; then the sets on which most people contradict the tool."""
    lines = ["| judges | sets | agree | kappa |", "|---|--:|--:|--:|"]
    for one, other in combinations(sorted(verdicts, key=lambda who: (who == tool, who)), 2):
        common = sorted(verdicts[one].keys() & verdicts[other].keys())
        if not common:
            continue
        pairs = [verdicts[one][name] for name in common], [verdicts[other][name] for name in common]
        agreed = sum(a == b for a, b in zip(*pairs, strict=True)) / len(common)
        beyond = kappa(*pairs)
        lines.append(f"| {one}, {other} | {len(common)} | {agreed:.0%} | {'' if beyond is None else f'{beyond:.2f}'} |")
    lines += ["", "| set | people say | the tool says |", "|---|---|---|"]
    people = [who for who in verdicts if who != tool]
    for name, said in sorted(verdicts.get(tool, {}).items()):
        others = Counter(verdicts[who][name] for who in people if name in verdicts[who])
        if others and others[said] * 2 < others.total():
            lines.append(f"| {name} | {', '.join(f'{n} x {verdict}' for verdict, n in sorted(others.items()))} | {said} |")
    return lines


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("verdicts", type=Path)
    parser.add_argument("--tool", default="ticketmill", help="the judge that is the tool")
    arguments = parser.parse_args()
    try:
        print("\n".join(table(read_verdicts(arguments.verdicts), arguments.tool)))
    except SourceError as error:
        raise SystemExit(f"readiness_agreement: {error}") from None


if __name__ == "__main__":
    main()
