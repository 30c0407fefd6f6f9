"""Do the trainers' own loaders take every row? Run by an interpreter that has torch, trl and datasets, for a chat table.

    python benchmarks/trainers.py data/curated/chat --out benchmarks/results/trl-demo.json
    python benchmarks/trainers.py build/preferences/chat --out benchmarks/results/trl-preferences.json

(the second of what `python -m benchmarks.preferences build/preferences` makes)

For each format that TRL reads: rows in the file = rows loaded = rows tokenised (TRL drops what the cut leaves without a
trained token); rows without a trained token at TRL's
default `max_length` and at the length that keeps every row whole; two optimiser steps of a tiny random Llama, and its loss.
Preference sets (kto, trl_dpo) likewise through KTOTrainer and DPOTrainer: rows in = rows loaded = rows tokenised, two steps.
The tokenizer is a BPE of 8,000 entries trained on the rows, so nothing is downloaded and counts are an upper bound: a real
vocabulary needs fewer tokens.
"""

import argparse
import json
import math
import os
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

os.environ |= {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "WANDB_DISABLED": "true"}

import datasets
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
from trl import DPOConfig, DPOTrainer, KTOConfig, KTOTrainer, SFTConfig, SFTTrainer

TEMPLATE = (
    "{% for message in messages %}{{ '<|' + message['role'] + '|>' }}"
    "{% if message['role'] == 'assistant' %}{% generation %}"
    "{% for call in message['tool_calls'] or [] %}{{ call['function'] | tojson }}{% endfor %}"
    "{{ (message['content'] or '') + eos_token }}{% endgeneration %}"
    "{% else %}{{ message['content'] + eos_token }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)
VOCABULARY = 8000
DEFAULT_MAX_LENGTH = SFTConfig.__dataclass_fields__["max_length"].default


def tokenizer_for(files: list[Path]) -> PreTrainedTokenizerFast:
    """A byte-level BPE trained on the files."""
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    special = ["<|end|>", "<|pad|>", "<|system|>", "<|user|>", "<|assistant|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    bpe.train([str(file) for file in files], trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        eos_token="<|end|>",  # noqa: S106  # the name of a token
        pad_token="<|pad|>",  # noqa: S106  # the same
        chat_template=TEMPLATE,
    )


def tiny_llama(vocabulary: int) -> LlamaForCausalLM:
    """Two layers of random weights."""
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=vocabulary,
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=2,
            max_position_embeddings=8192,
        )
    )


def trained(trainer: SFTTrainer) -> list[int]:
    """Tokens that the loss is taken of, for every row, as the trainer's own collator labels them."""
    return [int((trainer.data_collator([row])["labels"] != IGNORED).sum()) for row in trainer.train_dataset]


IGNORED = -100
"""torch's label for what the loss passes over."""


def sft(rows: Any, tokenizer: PreTrainedTokenizerFast, folder: str, max_length: int | None, steps: int) -> SFTTrainer:
    """TRL's trainer over these rows; tokenises them as it is made."""
    config = SFTConfig(
        output_dir=folder,
        max_length=max_length,
        max_steps=steps,
        per_device_train_batch_size=2,
        assistant_only_loss="messages" in rows.column_names,
        report_to="none",
        save_strategy="no",
        use_cpu=True,
        bf16=False,
        logging_steps=1,
        seed=1,
        disable_tqdm=True,
    )
    return SFTTrainer(model=tiny_llama(len(tokenizer)), args=config, train_dataset=rows, processing_class=tokenizer)


def prove(folder: Path, name: str) -> dict[str, Any]:
    """Everything TRL does with the train split of one format."""
    suffix = "parquet" if name == "parquet" else "jsonl"
    files = [path for path in sorted((folder / name).glob(f"train*.{suffix}")) if not path.name.endswith(".meta.jsonl")]
    sides = sorted((folder / name).glob("train*.meta.jsonl"))
    lines = sum(path.read_bytes().count(b"\n") for path in sides)
    rows = datasets.load_dataset(
        "parquet" if name == "parquet" else "json", data_files=[str(file) for file in files], split="train"
    )
    tokenizer = tokenizer_for(sorted((folder / "trl").glob("train*.jsonl"))[:1])
    with tempfile.TemporaryDirectory() as scratch:
        trainer = sft(rows, tokenizer, scratch, DEFAULT_MAX_LENGTH, 2)
        cut = trained(trainer)
        trainer.train()
        losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
        whole = sft(rows, tokenizer, scratch, None, 1)
        uncut = trained(whole)
        longest = max(len(row["input_ids"]) for row in whole.train_dataset)
    return {
        "format": name,
        "lines": lines,
        "rows_loaded": rows.num_rows,
        "rows_tokenised_at_default": len(cut),
        "rows_tokenised_at_recommended": len(uncut),
        "rows_without_trained_token_at_default": sum(count == 0 for count in cut),
        "rows_without_trained_token_at_recommended": sum(count == 0 for count in uncut),
        "recommended_max_length": longest,
        "losses": losses,
        "loss_is_finite": all(math.isfinite(loss) for loss in losses) and len(losses) == 2,  # noqa: PLR2004  # two steps
    }


def prove_preferences(folder: Path, name: str) -> dict[str, Any]:
    """Everything TRL does with the train split of a preference set."""
    files = [path for path in sorted((folder / name).glob("train*.jsonl")) if not path.name.endswith(".meta.jsonl")]
    rows = datasets.load_dataset("json", data_files=[str(file) for file in files], split="train")
    tokenizer = tokenizer_for(files)
    config_class, trainer_class = (DPOConfig, DPOTrainer) if name == "trl_dpo" else (KTOConfig, KTOTrainer)
    with tempfile.TemporaryDirectory() as scratch:
        config = config_class(
            output_dir=scratch,
            max_steps=2,
            per_device_train_batch_size=2,
            report_to="none",
            save_strategy="no",
            use_cpu=True,
            bf16=False,
            logging_steps=1,
            seed=1,
            disable_tqdm=True,
        )
        model, reference = tiny_llama(len(tokenizer)), tiny_llama(len(tokenizer))
        trainer = trainer_class(model=model, ref_model=reference, args=config, train_dataset=rows, processing_class=tokenizer)
        trainer.train()
        losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
        return {
            "format": name,
            "lines": sum(path.read_bytes().count(b"\n") for path in files),
            "rows_loaded": rows.num_rows,
            "rows_tokenised": len(trainer.train_dataset),
            "losses": losses,
            "loss_is_finite": all(math.isfinite(loss) for loss in losses) and len(losses) == 2,  # noqa: PLR2004  # two steps
        }


def main() -> None:
    """Read the table, prove each format, write what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("chat", type=Path)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    names = [name for name in ("trl", "trl_prompt_completion", "parquet") if (asked.chat / name).is_dir()]
    result = {
        "versions": {name: version(name) for name in ("trl", "transformers", "datasets", "torch")},
        "formats": [prove(asked.chat, name) for name in names],
        "preferences": [
            prove_preferences(asked.chat, name) for name in ("kto", "trl_dpo") if any((asked.chat / name).glob("train*"))
        ],
    }
    print(json.dumps(result, indent=1))
    if asked.out:
        asked.out.write_text(json.dumps(result, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
