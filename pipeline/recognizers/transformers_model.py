"""A token classifier of the user's own, as transformers trains them: `scrub.models: [names, "transformers:FOLDER"]`.

FOLDER is what `optimum-cli export onnx --task token-classification` writes: model.onnx, tokenizer.json, config.json with
`id2label`. It is run by onnxruntime, as ours is, so neither torch nor transformers is needed, and nothing is downloaded.
A text's finds depend on that text alone: each is a run of its own, a long one in windows that overlap.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from pipeline.errors import ParamsError
from pipeline.recognizers import spacy_model
from pipeline.spans import Span

TYPES: Final = spacy_model.TYPES | {
    **dict.fromkeys(("NAME", "FIRSTNAME", "LASTNAME", "GIVENNAME", "SURNAME", "MIDDLENAME"), "PERSON"),
    **dict.fromkeys(("LOCATION", "CITY", "STATE", "COUNTY", "COUNTRY"), "LOCATION"),
    **dict.fromkeys(("STREET_ADDRESS", "STREET", "ADDRESS"), "STREET_ADDRESS"),
    **dict.fromkeys(("ORGANIZATION", "ORGANISATION", "COMPANYNAME"), "ORGANIZATION"),
}
"""Labels without their B- or I-, in upper case -> entity types; other labels are left to the patterns."""

FILES: Final = ("model.onnx", "tokenizer.json", "config.json")
MOST_TOKENS: Final = 510
OVERLAP_TOKENS: Final = 64
"""Of two windows; of windows of fewer than twice as many, half."""

FEWEST_TOKENS: Final = 4
"""Of a window, besides [CLS] and [SEP]."""

Probabilities = npt.NDArray[np.float32]


def folder_of(name: str) -> Path:
    """Where the files of a classifier are.

    Raises:
        ParamsError: there is no such folder, or it lacks a file.
    """
    if missing := [file for file in FILES if not (Path(name) / file).is_file()]:
        raise ParamsError(
            f"scrub.models: transformers:{name} lacks {', '.join(missing)}; "
            "name the folder that `optimum-cli export onnx --task token-classification` wrote"
        )
    return Path(name)


def open_model(name: str, weight: float) -> Callable[[Sequence[str]], list[list[Span]]]:
    """Load a classifier; gives a function that reads many texts.

    Raises:
        ParamsError: there is no such folder, it is none of a token classifier, or none of its labels is one that we know.
    """
    import onnxruntime  # type: ignore[import-untyped]  # noqa: PLC0415  # for who names such a model
    from tokenizers import Tokenizer  # noqa: PLC0415  # as above

    folder = folder_of(name)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        config = json.loads((folder / "config.json").read_text("utf-8"))
        labels = {int(number): str(label) for number, label in config["id2label"].items()}
        positions = int(config.get("max_position_embeddings") or 0)
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001  # both libraries raise bare exceptions of their own
        raise ParamsError(
            f"scrub.models: transformers:{name} cannot be loaded ({type(error).__name__}); export it to ONNX again"
        ) from None
    types = {number: TYPES[bare] for number, label in labels.items() if (bare := _bare(label)) in TYPES}
    if not types:
        raise ParamsError(f"scrub.models: transformers:{name} has no label for people, places or organisations; name another")
    most = min(MOST_TOKENS, positions - 2) if positions > 0 else MOST_TOKENS  # models of relative positions have -1, or none
    if most < FEWEST_TOKENS:
        raise ParamsError(
            f"scrub.models: transformers:{name} reads {positions} tokens at a time, too few for a name; name another"
        )
    tokenizer.no_truncation()
    tokenizer.no_padding()
    inputs = [each.name for each in session.get_inputs()]

    def run(ids: list[int]) -> Probabilities:
        given = {"input_ids": ids, "attention_mask": [1] * len(ids), "token_type_ids": [0] * len(ids)}
        logits: Probabilities = session.run(None, {each: np.array([given[each]], dtype=np.int64) for each in inputs})[0][0]
        powers: Probabilities = np.exp(logits - logits.max(axis=1, keepdims=True))
        result: Probabilities = powers / powers.sum(axis=1, keepdims=True)
        return result

    def find(text: str) -> list[Span]:
        encoding = tokenizer.encode(text)
        own = [at for at, is_added in enumerate(encoding.special_tokens_mask) if not is_added]
        if not own:
            return []
        ids, first, last = encoding.ids, own[0], own[-1] + 1
        rows = _in_windows(ids[:first], ids[first:last], ids[last:], most, run)
        told = [int(row.argmax()) for row in rows]
        places = encoding.offsets[first:last]
        words = encoding.word_ids[first:last]
        begins = [labels.get(number, "").upper().startswith(("B-", "U-")) for number in told]
        kinds = [types.get(number) for number in told]
        scores = [float(row[number]) * weight for row, number in zip(rows, told, strict=True)]
        return list(_spans(places, words, kinds, begins, scores))

    return lambda texts: [find(text) for text in texts]


def _in_windows(
    head: list[int], body: list[int], tail: list[int], most: int, run: Callable[[list[int]], Probabilities]
) -> list[Any]:
    """A row per token of the body; of a token in two windows that of the one in which it stands further from the edge."""
    rows: list[Any] = []
    overlap = min(OVERLAP_TOKENS, most // 2)
    for start in range(0, max(1, len(body) - overlap), most - overlap):
        window = body[start : start + most]
        read = run([*head, *window, *tail])[len(head) : len(head) + len(window)]
        kept = start + (overlap // 2 if start else 0)
        rows[kept:] = list(read[kept - start :])
    return rows


def _bare(label: str) -> str:
    return label.upper().removeprefix("B-").removeprefix("I-").removeprefix("L-").removeprefix("U-")


def _spans(
    places: Sequence[tuple[int, int]],
    words: Sequence[int | None],
    kinds: Sequence[str | None],
    begins: Sequence[bool],
    scores: Sequence[float],
) -> Iterator[Span]:
    """Tokens of one type side by side as one span; a token inside of a word goes with the word's first one."""
    current: Span | None = None
    word = kind = None
    for at, (start, end) in enumerate(places):
        is_first = words[at] is None or words[at] != word
        if is_first:
            word, kind = words[at], kinds[at]
        if current and kind == current.entity_type and not (is_first and begins[at]):
            current = current._replace(end=end, score=max(current.score, scores[at]))
            continue
        if current:
            yield current
        current = Span(start, end, kind, scores[at], "TransformersRecognizer") if kind else None
    if current:
        yield current
