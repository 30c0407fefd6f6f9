"""What stands beside the training files: a dataset card, a Croissant description, and a manifest of hashes and versions."""

import json
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import file_digest, sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import jinja2
import yaml

from pipeline.errors import ParamsError
from pipeline.params import Section
from pipeline.tables import write_json
from pipeline.writing.chat import Format

TEMPLATE: Final = Path(__file__).with_name("card.md.jinja")

CODE: Final = ("emit.py", "writing/*.py", "writing/*.jinja", "formats/*.py")
"""What decides the files of emit, besides params and input; relative to the package `pipeline`."""


class CardParams(Section):
    """What only the publisher knows of the set."""

    name: str
    """Title of the set."""

    description: str
    """One paragraph."""

    license: str
    """Identifier as the Hugging Face hub spells it, such as cc-by-4.0; `other` for none of those."""

    url: str | None
    """Where the set is published; null for nowhere."""

    limits: list[str]
    """Known limits, one sentence each."""

    pii_metrics: str | None
    """Metrics of the gate after scrub, which the card states; null for none."""


@dataclass(frozen=True)
class Facts:
    """What was counted while the files were written."""

    rows: Mapping[str, int]
    """Split -> rows."""

    conversations: Mapping[str, int]
    """Split -> conversations."""

    clusters: int
    synthetic: int
    tokens: int
    languages: Sequence[str]
    first: datetime | None
    last: datetime | None
    given: str
    """Checksum of the table the files were made from."""

    sizes: str
    """What shares were asked for, which came out, and why they differ."""

    fingerprint: str
    """Of the params of emit."""

    max_tokens: int | None
    """The length the rows were written for: what the trainer should be told; None where it takes any."""

    shortened: int
    """Rows that lack turns of their conversation, to be that short."""


def write_beside(
    folder: Path, name: str, format_: Format, files: Mapping[str, Sequence[Path]], facts: Facts, card: CardParams
) -> list[Path]:
    """Write README.md, croissant.json and manifest.json into the folder of a format.

    Raises:
        ParamsError: the report that the params name is no report.
    """
    described = {split: [_describe(path) for path in paths] for split, paths in files.items()}
    write_json(folder / "croissant.json", _croissant(name, described, card))
    write_json(folder / "manifest.json", _manifest(name, format_, described, facts))
    readme = folder / "README.md"
    readme.write_text(_readme(name, format_, files, facts, card), "utf-8")
    return [readme, folder / "croissant.json", folder / "manifest.json"]


def _describe(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        return {"name": path.name, "bytes": path.stat().st_size, "sha256": file_digest(file, "sha256").hexdigest()}


def _manifest(name: str, format_: Format, described: Mapping[str, Any], facts: Facts) -> dict[str, Any]:
    return {
        "format": name,
        "rules": {"source": format_.source, "read": format_.read.isoformat()},
        "files": described,
        "rows": facts.rows,
        "conversations": facts.conversations,
        "max_tokens": facts.max_tokens,
        "rows_shortened": facts.shortened,
        "tool": {"name": "ticketmill", "version": _version()},
        "params": facts.fingerprint,
        "code": _code(),
        "given": facts.given,
        "git_commit": _git_commit(),
    }


def _version() -> str | None:
    try:
        return version("ticketmill")
    except PackageNotFoundError:  # run from a folder that was never installed
        return None


def _code() -> str:
    package = Path(__file__).parents[1]
    paths = sorted(path for pattern in CODE for path in package.glob(pattern))
    return sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()[:16]


def _git_commit() -> str | None:
    """The commit this runs from; None outside a repository or without git."""
    try:
        found = subprocess.run(["git", "rev-parse", "--verify", "HEAD"], capture_output=True, text=True, check=False, timeout=10)  # noqa: S607  # the user's own git
    except (OSError, subprocess.TimeoutExpired):
        return None
    return found.stdout.strip() or None


def _croissant(name: str, described: Mapping[str, Any], card: CardParams) -> Any:
    """Croissant 1.0 JSON-LD, https://docs.mlcommons.org/croissant/docs/croissant-spec.html.

    The files and their hashes, without record sets: those cannot yet say "a list of objects" (mlcroissant 1.1).
    """
    # a second, and rdflib with it: only where a card is written; ships no types
    import mlcroissant as mlc  # type: ignore[import-untyped]  # noqa: PLC0415

    files = [file for many in described.values() for file in many]
    encoding = "application/x-parquet" if name == "parquet" else "application/jsonlines"
    metadata = mlc.Metadata(
        name=card.name,
        description=card.description,
        license=[card.license],
        url=card.url,
        distribution=[
            mlc.FileObject(
                id=file["name"],
                name=file["name"],
                content_url=file["name"],
                content_size=f"{file['bytes']} B",
                encoding_formats=[encoding],
                sha256=file["sha256"],
            )
            for file in files
        ],
    )
    return metadata.to_json()


def _readme(name: str, format_: Format, files: Mapping[str, Sequence[Path]], facts: Facts, card: CardParams) -> str:
    total = sum(facts.rows.values())
    header = {
        "pretty_name": card.name,
        "license": card.license,
        "language": list(facts.languages),
        "task_categories": ["text-generation"],
        "tags": ["customer-support", "chat", "ticketmill"],
        "size_categories": [next(label for most, label in SIZES if total < most)],
        "configs": [
            {
                "config_name": "default",
                "data_files": [
                    {"split": split, "path": [path.name for path in paths]} for split, paths in files.items() if paths
                ],
            }
        ],
    }
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATE.parent),
        autoescape=False,  # noqa: S701  # Markdown of our own numbers and the publisher's own sentences, no page
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(TEMPLATE.name).render(
        header=yaml.safe_dump(header, sort_keys=False, allow_unicode=True),
        name=name,
        format=format_,
        facts=facts,
        card=card,
        total=total,
        measures=_measures(card.pii_metrics),
        all_conversations=sum(facts.conversations.values()),
    )


SIZES: Final = [
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
    (float("inf"), "10M<n<100M"),
]
"""Size categories of the Hugging Face hub's dataset cards."""


def _measures(metrics: str | None) -> Iterable[tuple[str, float]] | None:
    """What the gate after scrub measured; None where it never judged."""
    if metrics is None or not Path(metrics).is_file():
        return None
    try:
        measures = json.loads(Path(metrics).read_text("utf-8"))
        return sorted((name, value) for name, value in measures.items() if name != "passed")
    except (ValueError, AttributeError):
        raise ParamsError(f"{metrics}: holds no metrics of a gate; correct emit.card.pii_metrics or set it to null") from None
