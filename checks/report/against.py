"""What a state is compared with: a run of the history, a revision of git, or another report.json."""

import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from checks.report.build import Baseline, remembered
from pipeline.errors import CurationError


def find_baseline(named: str, history: Sequence[Mapping[str, Any]], reports: Path) -> Baseline:
    """The state that `named` means: a path of a report.json; a number of a run, negative from the last; a git revision.

    A revision is looked up in its own committed report.json, then as the commit at which the last run of the history was made.

    Raises:
        CurationError: nothing of that name is known.
    """
    if (path := Path(named)).is_file():
        return Baseline(named, _metrics(path.read_bytes(), named))
    try:
        number = int(named)
    except ValueError:
        return _of_revision(named, history, reports)
    place = number - 1 if number > 0 else len(history) + number
    if not 0 <= place < len(history):
        raise CurationError(f"--against {named}: the history has {len(history)} runs; give a number from 1, or -1 for the last")
    return _of_run(place, history)


def _of_run(place: int, history: Sequence[Mapping[str, Any]]) -> Baseline:
    metrics = {f"{stage}.{name}": value for _, stage, name, value in remembered(history[place : place + 1])}
    return Baseline(f"run {place + 1} of {len(history)}", metrics)


def _of_revision(named: str, history: Sequence[Mapping[str, Any]], reports: Path) -> Baseline:
    commit = _git("rev-parse", "--verify", "--end-of-options", f"{named}^{{commit}}")
    if commit is None:
        raise CurationError(f"--against {named}: is no file, run or git revision")
    revision = commit.decode().strip()
    committed = _git("show", f"{revision}:./{(reports / 'report.json').as_posix()}")
    if committed is not None:
        return Baseline(f"commit {revision[:12]}", _metrics(committed, named))
    for place in reversed(range(len(history))):
        if history[place].get("commit") == revision:
            found = _of_run(place, history)
            return Baseline(f"commit {revision[:12]}, {found.label}", found.metrics)
    raise CurationError(f"--against {named}: that commit has no report.json, and no run of the history was made at it")


def _metrics(content: bytes, named: str) -> dict[str, float | None]:
    try:
        metrics: dict[str, float | None] = json.loads(content)["metrics"]
    except (ValueError, KeyError, TypeError):
        raise CurationError(f"--against {named}: is no report.json of ticketmill report") from None
    return metrics


def _git(*arguments: str) -> bytes | None:
    git = shutil.which("git")
    if git is None:
        return None
    done = subprocess.run([git, *arguments], capture_output=True, check=False)  # noqa: S603  # no shell, and our own arguments
    return done.stdout if done.returncode == 0 else None
