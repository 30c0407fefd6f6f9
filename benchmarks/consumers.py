"""The consumers' own code over our rows, and over rows broken on purpose: does it take what we write, and refuse what we fault?

    python -m benchmarks.consumers build/targets/*/chat --out benchmarks/results/consumers.json

Run by an interpreter that has, beside orjson and pydantic: together<2 (its last checker that looks into rows), mistral-common,
llamafactory (without its dependencies but transformers, peft, datasets) and pytest, none of which needs a GPU:

- together 1.5: `check_file`, as its command line ran it before an upload.
- mistral-common: requests made by `ChatCompletionRequest.from_openai`, judged by the validator of v3 in fine-tuning mode.
- LLaMA-Factory: `datasets.load_dataset` with the entry of our dataset_info.json, then its converters; a row without a prompt
  is one that training skips.

Reported: rows given and refused, for every training file; then, of the bad chats of the tests, those that they refuse and we
pass (must be none), and those that we fault and they pass, by the names of our faults.
"""

import argparse
import importlib
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any, Final

os.environ |= {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}

from pipeline.formats import FORMATS

Row = dict[str, Any]


def by_together(rows: Sequence[Row], _beside: Path | None) -> list[bool]:
    """Whether each row passes; the rows of a sound file are checked at once."""
    from together.utils.files import check_file  # noqa: PLC0415  # each consumer by itself: not all need be installed

    def passes(some: Sequence[Row]) -> bool:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "rows.jsonl"
            path.write_text("".join(json.dumps(row) + "\n" for row in some), "utf-8")
            try:
                return bool(check_file(path)["is_check_passed"])
            except Exception:  # noqa: BLE001  # it trips over some rows, which is a refusal
                return False

    return [True] * len(rows) if passes(rows) else [passes([row]) for row in rows]


def by_mistral(rows: Sequence[Row], _beside: Path | None) -> list[bool]:
    """Whether its own validator takes each row."""
    from mistral_common.protocol.instruct.request import ChatCompletionRequest  # noqa: PLC0415  # as above
    from mistral_common.protocol.instruct.validator import (  # noqa: PLC0415  # as above
        MistralRequestValidatorV3,
        ValidationMode,
    )

    validator = MistralRequestValidatorV3(mode=ValidationMode.finetuning)

    def passes(row: Row) -> bool:
        try:
            messages = [{key: value for key, value in each.items() if key != "weight"} for each in row["messages"]]
            validator.validate_request(ChatCompletionRequest.from_openai(messages=messages, tools=row.get("tools")))
        except Exception:  # noqa: BLE001  # pydantic's errors and its own
            return False
        return True

    return [passes(row) for row in rows]


def _without_init(package: str) -> None:
    """Make a package importable by its modules alone: what its __init__ imports needs a GPU's libraries."""
    spec = find_spec(package)
    assert spec is not None
    module = ModuleType(package)
    module.__path__ = list(spec.submodule_search_locations or ())
    sys.modules[package] = module


def by_llamafactory(rows: Sequence[Row], beside: Path | None) -> list[bool]:
    """Whether its converter keeps each row; a row it trips over is refused."""
    import datasets  # noqa: PLC0415  # as above

    if "llamafactory.data" not in sys.modules:
        _without_init("llamafactory")
        _without_init("llamafactory.data")
    converter = importlib.import_module("llamafactory.data.converter")
    parser = importlib.import_module("llamafactory.data.parser")
    importlib.import_module("llamafactory.extras.logging")._get_library_root_logger().disabled = True  # noqa: SLF001  # quotes rows
    entry = next(iter(json.loads(beside.read_text("utf-8")).values())) if beside else ENTRY
    attributes = parser.DatasetAttr("file", dataset_name="rows", formatting=entry["formatting"], num_samples=None)
    for name, value in {**entry["columns"], **entry.get("tags", {})}.items():
        setattr(attributes, name, value)
    kind = {"sharegpt": "SharegptDatasetConverter", "openai": "OpenAIDatasetConverter"}[entry["formatting"]]
    convert = getattr(converter, kind)(attributes, None)

    def kept(row: Row) -> bool:
        try:
            return bool(convert(row)["_prompt"])
        except Exception:  # noqa: BLE001  # a KeyError ends its whole run
            return False

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
        try:
            loaded = datasets.load_dataset("json", data_files=str(path), split="train", cache_dir=folder)
            return [kept(row) for row in loaded]
        except Exception:  # noqa: BLE001  # a file of mixed types is no file to it
            return [False] * len(rows)


ENTRY: Final = {
    "formatting": "openai",
    "columns": {"messages": "messages"},
    "tags": {"role_tag": "role", "content_tag": "content", "user_tag": "user", "assistant_tag": "assistant"}
    | {"observation_tag": "tool", "system_tag": "system"},
}

CONSUMERS: Final[Mapping[str, tuple[str, Callable[[Sequence[Row], Path | None], list[bool]]]]] = {
    "together": ("together", by_together),
    "mistral": ("mistral-common", by_mistral),
    "llamafactory": ("llamafactory", by_llamafactory),
    "llamafactory_openai": ("llamafactory", by_llamafactory),
}


def ours(chats: Iterable[Path]) -> dict[str, Any]:
    """Rows of our files that their consumer refuses."""
    found: dict[str, Any] = {}
    for chat in chats:
        for target, (_, judge) in CONSUMERS.items():
            files = [path for path in sorted((chat / target).glob("*.jsonl")) if not path.name.endswith(".meta.jsonl")]
            beside = chat / target / "dataset_info.json"
            verdicts = [
                verdict
                for path in files
                for verdict in judge(
                    [json.loads(line) for line in path.read_bytes().splitlines()], beside if beside.exists() else None
                )
            ]
            found.setdefault(chat.parent.name, {})[target] = {"rows": len(verdicts), "refused": verdicts.count(False)}
    return found


def bad_rows() -> dict[str, Any]:
    """The bad chats of the tests, by us and by them."""
    from tests.pipeline.formats.test_formats import BAD_CHATS  # noqa: PLC0415  # imports pytest

    found = {}
    for target in ("together", "mistral", "llamafactory_openai"):
        judge = CONSUMERS[target][1]
        passed_by_us, passed_by_them, agreed = [], [], 0
        for fault, row, _ in BAD_CHATS:
            faults = sorted({each.name for each in FORMATS[target].faults(row)})
            (taken,) = judge([row], None)
            agreed += taken != bool(faults)
            if not taken and not faults:
                passed_by_us.append(fault)
            if taken and faults:
                passed_by_them.append(faults)
        found[target] = {"agreed": agreed, "they_refuse_we_pass": passed_by_us, "we_fault_they_pass": passed_by_them}
    return found


def main() -> None:
    """Judge the files of the chat tables, then the bad rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("chats", type=Path, nargs="*")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    report = {
        "versions": {package: version(package) for package in sorted({package for package, _ in CONSUMERS.values()})},
        "our_files": ours(asked.chats),
        "bad_chats": bad_rows(),
    }
    print(json.dumps(report, indent=1))
    if asked.out:
        asked.out.write_text(json.dumps(report, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
