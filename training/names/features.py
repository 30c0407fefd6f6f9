"""Token classification targets: the recogniser's own encoding, with a label for every piece."""

from __future__ import annotations

from pieces import LABELS, UNSCORED, Example

from pipeline.recognizers.names import Encoded

TAGS = ("O", *(f"{prefix}-{label}" for label in LABELS for prefix in "BI"))
SKIP = -100
"""What torch's cross entropy passes over."""


def tags_of(example: Example, encoded: Encoded) -> list[int]:
    """One tag number per token; [CLS], [SEP] and unscored characters are skipped."""
    tags = [SKIP] * len(encoded.ids)
    spans = iter(example.spans)
    span = next(spans, None)
    for i, (start, end) in enumerate(encoded.offsets):
        if start == end:
            continue
        while span is not None and span[1] <= start:
            span = next(spans, None)
        if span is None or end <= span[0]:
            tags[i] = 0
        elif span[2] != UNSCORED:
            begins = start <= span[0]
            tags[i] = TAGS.index(f"{'B' if begins else 'I'}-{span[2]}")
    return tags
