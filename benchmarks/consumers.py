"""The consumers' own code over our rows, and over rows broken on purpose: does it take what we write, and refuse what we fault?

    python -m benchmarks.consumers build/targets/*/chat --out benchmarks/results/consumers.json

Run by an interpreter that has, beside orjson, pydantic, polars and bpe-openai: together<2 (its last checker that looks into
rows), mistral-common, google-genai, llamafactory, axolotl, unsloth_zoo and amzn-nova-forge (the last four without their
dependencies but torch, transformers, trl, peft, datasets, addict, fire, posthog, colorama, pycountry, boto3, filetype) and
pytest, none of which needs a GPU:

- together 1.6: `check_file`, as its command line ran it before an upload.
- mistral-common: requests made by `ChatCompletionRequest.from_openai`, judged by the validator of v3 in fine-tuning mode.
- LLaMA-Factory: `datasets.load_dataset` with the entry of our dataset_info.json, then its converters; a row without a prompt
  is one that training skips.
- axolotl: its schema reads axolotl.json, its chat_template strategy tokenises every row, and a row stays that is no longer than
  `sequence_len` and has a trained token. The tokenizer is a small one made from the rows, which needs more tokens than a real
  one; so `sequence_len` is taken half as long again.
- Amazon Nova: the sample model of AWS's SDK, and that its optional fields stand in all rows or in none.
- Gemini: the SDK's model of every content, which knows no further keys.
- Unsloth: `standardize_data_formats`, then `train_on_responses_only` with the markers of the template; a row stays that has a
  trained token.

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

from pipeline.formats import FORMATS, axolotl

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


def by_axolotl(rows: Sequence[Row], beside: Path | None) -> list[bool]:
    """Whether its own strategy tokenises each row and training keeps it."""
    from axolotl.prompt_strategies import chat_template  # noqa: PLC0415  # as above
    from axolotl.utils.dict import DictDefault  # noqa: PLC0415
    from axolotl.utils.schemas.datasets import SFTDataset  # noqa: PLC0415

    told = json.loads(beside.read_text("utf-8")) if beside else axolotl.config({"train": ["rows.jsonl"]}, 4096)["axolotl.json"]
    entry = SFTDataset.model_validate(told["datasets"][0])
    length = told["sequence_len"] * 3 // 2
    config = DictDefault({"sequence_len": length, "train_on_inputs": False, "chat_template": "tokenizer_default"})
    strategy = chat_template.load(_tokenizer(rows), config, ds_cfg=DictDefault(entry.model_dump()))

    def kept(row: Row) -> bool:
        try:
            made = strategy.tokenize_prompt(row)
            return len(made["input_ids"]) <= length and any(label != IGNORED for label in made["labels"])
        except Exception:  # noqa: BLE001  # whatever it trips over ends its whole run
            return False

    return [kept(row) for row in rows]


def by_unsloth(rows: Sequence[Row], _beside: Path | None) -> list[bool]:
    """Whether its standardising takes each row, and its masking leaves something to train."""
    import datasets  # noqa: PLC0415  # as above

    if "unsloth_zoo" not in sys.modules:
        _without_init("unsloth_zoo")
    zoo = importlib.import_module("unsloth_zoo.dataset_utils")
    tokenizer = _tokenizer(rows)
    mask = zoo.train_on_responses_only(
        None, instruction_part="<|user|>", response_part="<|assistant|>", tokenizer=tokenizer, return_function=True
    )

    def trains(chat: Any) -> bool:
        told = tokenizer.apply_chat_template(chat, return_dict=True)
        return any(label != IGNORED for label in mask({"input_ids": [told["input_ids"]]})["labels"][0])

    def kept(some: Sequence[Row]) -> list[bool]:
        standard = zoo.standardize_data_formats(datasets.Dataset.from_list(list(some)), num_proc=1)
        return [trains(row["conversations"]) for row in standard]

    def kept_alone(row: Row) -> bool:
        try:
            return kept([row])[0]
        except Exception:  # noqa: BLE001  # its own errors, and those of the template
            return False

    try:
        return kept(rows)
    except Exception:  # noqa: BLE001  # as above
        return [kept_alone(row) for row in rows]


def by_nova(rows: Sequence[Row], _beside: Path | None) -> list[bool]:
    """Whether the model of a sample takes each row, and fields that some rows have stand in all of them."""
    for package in ("amzn_nova_forge", "amzn_nova_forge.dataset", "amzn_nova_forge.dataset.dataset_validator"):
        if package not in sys.modules:
            _without_init(package)
    for package in (
        "amzn_nova_forge.validation",
        "amzn_nova_forge.util",
        "amzn_nova_forge.core",
        "amzn_nova_forge.dataset.configs",
    ):
        if package not in sys.modules:
            _without_init(package)
    sft = importlib.import_module("amzn_nova_forge.dataset.dataset_validator.sft_dataset_validator")
    enums = importlib.import_module("amzn_nova_forge.core.enums")
    known = {"model": enums.Model.NOVA_LITE, "s3_client": None}
    same = len({"system" in row for row in rows}) == 1

    def passes(row: Row) -> bool:
        try:
            sft.SFTConverseDatasetSample.model_validate(row, context=known)
        except ValueError:  # pydantic's
            return False
        return True

    return [same and passes(row) for row in rows]


def by_gemini(rows: Sequence[Row], _beside: Path | None) -> list[bool]:
    """Whether the SDK's model of a content takes each one."""
    from google.genai import types  # noqa: PLC0415  # as above

    def passes(row: Row) -> bool:
        try:
            for content in [*row["contents"], row.get("systemInstruction", {})]:
                types.Content.model_validate(content)
        except (ValueError, KeyError, TypeError):  # pydantic's, and those of a row that is none
            return False
        return True

    return [passes(row) for row in rows]


def _tokenizer(rows: Sequence[Row]) -> Any:
    """One made from the rows, with the template that benchmarks/trainers.py trains with."""
    from benchmarks.trainers import tokenizer_for  # noqa: PLC0415  # as above

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows[:2000]), "utf-8")
        return tokenizer_for([path])


IGNORED: Final = -100
"""torch's label for what the loss passes over."""

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
    "axolotl": ("axolotl", by_axolotl),
    "unsloth": ("unsloth_zoo", by_unsloth),
    "bedrock_nova": ("amzn-nova-forge", by_nova),
    "gemini": ("google-genai", by_gemini),
}

BESIDE: Final = {
    "llamafactory": "dataset_info.json",
    "llamafactory_openai": "dataset_info.json",
    "axolotl": "axolotl.json",
}
"""What lies beside the files for their consumer."""


OWN_SHAPE: Final = ("llamafactory", "unsloth", "bedrock_nova", "gemini")
"""Consumers whose rows are no lists of `messages`."""


def ours(chats: Iterable[Path]) -> dict[str, Any]:
    """Rows of our files that their consumer refuses."""
    found: dict[str, Any] = {}
    for chat in chats:
        for target, (_, judge) in CONSUMERS.items():
            files = [path for path in sorted((chat / target).glob("*.jsonl")) if not path.name.endswith(".meta.jsonl")]
            beside = chat / target / BESIDE.get(target, "nothing")
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
    """The bad rows of the tests, by us and by them."""
    from tests.pipeline.formats.test_formats import BAD_CHATS, bad_rows_of  # noqa: PLC0415  # imports pytest

    found = {}
    chats = [(fault, row) for fault, row, _ in BAD_CHATS]
    for target, (_, judge) in CONSUMERS.items():
        passed_by_us, passed_by_them, agreed = [], [], 0
        for fault, row in bad_rows_of(target) if target in OWN_SHAPE else chats:
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
        "bad_rows": bad_rows(),
    }
    print(json.dumps(report, indent=1))
    if asked.out:
        asked.out.write_text(json.dumps(report, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
