"""Whether the last assessment still stands: a night that brings a few conversations does not measure all of them anew.

Beside the report lies which parts of which tables it was made from. As long as params, evidence, code and the list of the
forgotten are the same and few of the rows stand in other parts, the report is what it would be but for chance. It says itself of
which tables it is. So its bytes follow from the nights before as well (docs/laws.md, 2); nothing of the set is made from it.
"""

import json
from hashlib import sha256
from pathlib import Path
from typing import Final

from checks.readiness.settings import ReadinessParams
from pipeline.forgotten import digest_of_list
from pipeline.tables import Table, code_digest, digest_of_package, translated_errors, write_json

ASSESSED: Final = "assessed.json"


def new_share(report: Path, last: Table, params: ReadinessParams) -> float | None:
    """Share of the kept rows of the line, over all its tables, that the report in this folder did not see; or are gone, if more.

    None where it is of other params, evidence or code, somebody was forgotten since, or it is not whole any more; where there is
    none; or nothing is left of the line.
    """
    try:
        seen = json.loads((report / ASSESSED).read_bytes())
        stands = seen["made_by"] == _made_by(params, last) and seen["files"] == _files(report)
        before: dict[str, int] = dict(seen["rows"])
    except (OSError, ValueError, LookupError, TypeError):  # none yet, or cut off: measured again
        return None
    if not stands:
        return None
    rows = _rows(last)
    new = sum(count for part, count in rows.items() if part not in before)
    gone = sum(count for part, count in before.items() if part not in rows)
    return max(new, gone) / total if (total := sum(rows.values())) else None  # a part made again is new and gone


def remember(report: Path, last: Table, params: ReadinessParams) -> None:
    """Note what the report in this folder was made from."""
    with translated_errors(report):
        content = {"made_by": _made_by(params, last), "files": _files(report), "rows": _rows(last)}
        write_json(report / ASSESSED, content)


def _rows(last: Table) -> dict[str, int]:
    """Part of a table of the line, by its content -> kept rows."""
    return {
        f"{table.manifest.stage} {part.files['kept'][:16]}": part.rows["kept"]
        for table in last.line()
        for part in table.manifest.parts
    }


def _files(report: Path) -> dict[str, str]:
    """The files of the report, by name -> sha256."""
    files = (path for path in report.rglob("*") if path.is_file() and path.name != ASSESSED)
    return {path.relative_to(report).as_posix(): sha256(path.read_bytes()).hexdigest() for path in sorted(files)}


def _made_by(params: ReadinessParams, last: Table) -> str:
    folder = Path(params.evidence)
    evidence = digest_of_package(folder) if folder.is_dir() else ""
    # whoever was forgotten since may be named in it
    people = digest_of_list(last.line()[0])
    said = [params.fingerprint(), evidence, code_digest(), digest_of_package(Path(__file__).parents[1]), people]
    return sha256("\n".join(said).encode()).hexdigest()[:16]
