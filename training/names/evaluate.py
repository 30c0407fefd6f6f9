"""Compare runs and thresholds on `dev.txt`, which was written by hand and trains nothing."""

from __future__ import annotations

import argparse
import re
from collections import Counter
from pathlib import Path

from pieces import LABELS

from pipeline.recognizers.names import NamesRecognizer

DEV = Path(__file__).parent / "dev.txt"
MARK = re.compile(r"<([PLSO]) (.*?)>", re.DOTALL)
LABEL_OF = {label[0]: label for label in LABELS}


def read_marked(path: Path) -> list[tuple[str, list[tuple[int, int, str]]]]:
    """Texts and their spans from lines like `my name is <P jo>`; backslash n is a line end."""
    marked = []
    for line in path.read_text("utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        text, spans, last = "", [], 0
        source = line.replace("\\n", "\n")
        for match in MARK.finditer(source):
            text += source[last : match.start()]
            spans.append((len(text), len(text) + len(match[2]), LABEL_OF[match[1]]))
            text += match[2]
            last = match.end()
        marked.append((text + source[last:], spans))
    return marked


def main() -> None:
    """Print shares covered, shares under the right label and false findings, per threshold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--thresholds", type=float, nargs="*", default=[0.1, 0.2, 0.3, 0.4, 0.5, 0.7])
    parser.add_argument("--show", action="store_true", help="misses and false findings at the model's own thresholds")
    arguments = parser.parse_args()
    marked = read_marked(DEV)
    own = NamesRecognizer(arguments.model)
    for threshold in (None, *arguments.thresholds):
        recognizer = own if threshold is None else NamesRecognizer(arguments.model, dict.fromkeys(LABELS, threshold))
        spans, covered, named, false = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
        for (text, labels), findings in zip(marked, recognizer.find_batch([t for t, _ in marked]), strict=True):
            hit = {i: f.entity_type for f in findings for i in range(f.start, f.end)}
            for start, end, label in labels:
                spans[label] += 1
                is_covered = sum(i in hit for i in range(start, end)) >= 0.6 * (end - start)
                covered[label] += is_covered
                named[label] += sum(hit.get(i) == label for i in range(start, end)) >= 0.6 * (end - start)
                if arguments.show and threshold is None and not is_covered:
                    print("missed", label, repr(text[start:end]), "in", repr(text))
            for f in findings:
                if not any(start < f.end and f.start < end for start, end, _ in labels):
                    false[f.entity_type] += 1
                    if arguments.show and threshold is None:
                        print("false", f.entity_type, f.score, repr(text[f.start : f.end]), "in", repr(text))
        rates = {label: f"{covered[label] / n:.3f} ({named[label] / n:.3f} under its label)" for label, n in spans.items()}
        print(threshold or "own", rates, "false findings:", dict(false))


if __name__ == "__main__":
    main()
