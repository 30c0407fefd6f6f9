"""The experiments behind readiness, done again on the data here, and its time and memory on 100,000 conversations.

python benchmarks/readiness.py experiments         # section 4: benchmarks/results/readiness.md
python benchmarks/readiness.py scale [--n 100000]  # one assessment, wall time and peak memory, appended to the same file

Needs the public data sets as they were handed over ($TICKETMILL_SHARED, or `shared` beside the repository).
"""

import argparse
import csv
import gzip
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
import polars as pl

ROOT: Final = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from checks.readiness.masking import mask, words_of  # noqa: E402  # after the path is set
from checks.readiness.measures.coverage import good_turing, threshold_clusters  # noqa: E402  # as above
from checks.readiness.measures.knowledge import fit_decay, token_f1  # noqa: E402  # as above
from checks.readiness.measures.learning import learning_curve  # noqa: E402  # as above
from checks.readiness.measures.shift import moved_traffic  # noqa: E402  # as above
from checks.readiness.neighbours import nearest  # noqa: E402  # as above
from checks.readiness.settings import ReadinessParams  # noqa: E402  # as above
from checks.readiness.topics import cluster_texts  # noqa: E402  # as above
from pipeline.params import load_section  # noqa: E402  # as above

SHARED: Final = Path(os.environ.get("TICKETMILL_SHARED", ROOT.parent / "shared")) / "data"
RESULTS: Final = Path(__file__).parent / "results" / "readiness.md"
RUNS: Final = 200
ALARM: Final = 0.05
POINTS: Final = 0.1
PSI: Final = 0.1
ERRS: Final = 0.1
COVERED: Final = 0.5
SAME_F1: Final = 0.6

SPECIFIED_PSI: Final = {100: 1.0, 200: 0.94, 500: 0.12, 1000: 0.0}
SPECIFIED_SHIFT: Final = {0.094: ("10.8", "4 to 5"), 0.187: ("18.6", "9 to 12"), 0.374: ("36.7", "18 to 23")}
INTO_FEW: Final = 3
SPECIFIED_HALF_LIFE: Final = {7: 7.3, 30: 27.9, 90: 91.1, 365: 292.0}
SPECIFIED_COVERAGE: Final = {100: (0.79, 0.79, 0.97, 0.24, 0.22), 300: (0.93, 0.94, 1, 0.41, 0.40), 1000: (1, 1, 1, 0.61, 0.58)}
"""What the first experiments gave, on the same public sets with other draws; beside ours in the tables."""


def banking() -> pl.DataFrame:
    """text, intent of all 13,083 questions."""
    rows: list[dict[str, str]] = []
    for name in ("train", "test"):
        with gzip.open(SHARED / "banking77" / f"{name}.csv.gz", "rt", encoding="utf-8", newline="") as file:
            rows += csv.DictReader(file)
    return pl.DataFrame(rows).rename({"category": "intent"}).with_columns(text=mask(pl.DataFrame(rows)["text"]))


def star() -> list[tuple[str, list[tuple[str, str]]]]:
    """Topic and (speaker, text) of every dialogue with a message."""
    dialogues = []
    with gzip.open(SHARED / "star_dialogues" / "dialogues.jsonl.gz", "rb") as file:
        for line in file:
            row = orjson.loads(line)
            said = [
                ("customer" if event["Agent"] == "User" else "agent", event["Text"])
                for event in row["Events"]
                if event["Agent"] in {"User", "Wizard"} and event["Action"] in {"utter", "pick_suggestion"} and event.get("Text")
            ]
            if said:
                dialogues.append((str((row["Scenario"]["Domains"] or [None])[0] or "none"), said))
    return dialogues


def drift(data: pl.DataFrame) -> list[str]:
    """False alarms without drift, and planted shifts, by human intents and by clusters."""
    counts = data["intent"].value_counts().sort("intent")["count"].to_numpy()
    shares = counts / counts.sum()
    lines = [
        "| no drift, rows per window | PSI > 0.1 fires (20 clusters) | specified | p < 0.05 fires | p < 0.05 and >= 10 points |",
        "|---|---|---|---|---|",
    ]
    labels = cluster_texts(data["text"], 20, 1)
    of_clusters = labels.value_counts().sort("topic")["count"].to_numpy()
    cluster_shares = of_clusters / of_clusters.sum()
    for n in (100, 200, 500, 1000):
        generator = np.random.default_rng(n)
        psi, moved = [], []
        for run in range(RUNS):
            one, other = generator.multinomial(n, cluster_shares), generator.multinomial(n, cluster_shares)
            p, q = (one + 0.5) / (n + 10), (other + 0.5) / (n + 10)
            psi.append(float(((p - q) * np.log(p / q)).sum()) > PSI)
            moved.append(moved_traffic(generator.multinomial(n, shares), generator.multinomial(n, shares), 199, run))
        alarms = [p < ALARM for _, p in moved]
        flags = [p < ALARM and points >= POINTS for points, p in moved]
        lines.append(f"| {n} | {np.mean(psi):.0%} | {SPECIFIED_PSI[n]:.0%} | {np.mean(alarms):.1%} | {np.mean(flags):.1%} |")
    lines += [
        "",
        "| true shift, 2,000 rows per window | read by intents | specified | power | read by 20 clusters | specified | power |",
        "|---|---|---|---|---|---|---|",
    ]
    intents = data["intent"].to_list()
    names = sorted(set(intents))
    for into, true in product((INTO_FEW, len(names) // 2), SPECIFIED_SHIFT):
        read: dict[str, list[tuple[float, float]]] = {"intents": [], "clusters": []}
        for run in range(40):
            generator = np.random.default_rng(run)
            gaining = set(generator.choice(names, into, replace=False).tolist())
            gains = np.array([one in gaining for one in intents])
            base = np.full(len(intents), 1 / len(intents))
            share = base[gains].sum()
            later = np.where(gains, base * (1 + true / share), base * (1 - true / (1 - share)))
            drawn = [generator.choice(len(intents), 2_000, p=weights / weights.sum()) for weights in (base, later)]
            for kind, column in (("intents", data["intent"]), ("clusters", labels)):
                codes = column.rank("dense").to_numpy() - 1
                sides = [np.bincount(codes[rows], minlength=int(codes.max()) + 1) for rows in drawn]
                read[kind].append(moved_traffic(sides[0], sides[1], 199, run))
        specified = SPECIFIED_SHIFT[true] if into == INTO_FEW else ("", "")
        cells = []
        for kind, said in zip(("intents", "clusters"), specified, strict=True):
            points, power = np.median([each for each, _ in read[kind]]), np.mean([p < ALARM for _, p in read[kind]])
            cells.append(f"{100 * points:.1f} | {said} | {power:.2f}")
        lines.append(f"| {100 * true:.1f} points into {into} intents | {cells[0]} | {cells[1]} |")
    lines += ["", "A shift spread over half of the intents drowns in what chance moves between 77 of them, and is read too low."]
    return lines


def half_lives() -> list[str]:
    """Planted half-lives in a log of a year, 300 pairs, a detector that errs in one of ten."""
    lines = [
        "| planted half-life | median fitted | specified | middle half of the fits | called stable |",
        "|---|---|---|---|---|",
    ]
    for planted in (7, 30, 90, 365, None):
        fits = []
        for seed in range(RUNS):
            generator = np.random.default_rng(seed)
            days = np.abs(generator.uniform(0, 365, 300) - generator.uniform(0, 365, 300))
            true = generator.random(300) < (2 ** (-days / planted) if planted else 0.9)
            agree = np.where(generator.random(300) < ERRS, ~true, true).astype(float)
            fits.append(fit_decay(days, agree))
        shown = [fit.half_life for fit in fits if fit.shown]
        low, middle, high = np.quantile(shown, [0.25, 0.5, 0.75]) if shown else (np.nan,) * 3
        name = f"{planted} days" if planted else "none: 0.9 for ever"
        specified = SPECIFIED_HALF_LIFE.get(planted or 0, "")
        lines.append(f"| {name} | {middle:.1f} | {specified} | {low:.1f} to {high:.1f} | {1 - len(shown) / RUNS:.1%} |")
    return lines


def coverage(data: pl.DataFrame) -> list[str]:
    """Coverage against the mass of intents that are truly known, traffic by Zipf's law over the 77."""
    generator = np.random.default_rng(1)
    names = data["intent"].unique().sort().to_list()
    generator.shuffle(names)
    weight = {name: 1 / rank for rank, name in enumerate(names, 1)}
    total = sum(weight.values())
    of_row = np.array([weight[one] for one in data["intent"].to_list()])
    sizes = dict(data["intent"].value_counts().iter_rows())
    p = of_row / np.array([sizes[one] for one in data["intent"].to_list()])
    p /= p.sum()
    lines = [
        "| n | true seen mass | Good-Turing on intents | on k-means (20) | on threshold clusters | held-out nearest neighbour |",
        "|---|---|---|---|---|---|",
    ]
    for n in (100, 300, 1000):
        cells: list[list[float]] = [[], [], [], [], []]
        for _ in range(5):
            chosen = generator.choice(data.height, n + 1000, replace=False, p=p)
            train, later = data[chosen[:n].tolist()], data[chosen[n:].tolist()]
            seen = set(train["intent"].to_list())
            cells[0].append(sum(weight[one] for one in seen) / total)
            cells[1].append(good_turing(train["intent"].value_counts()["count"]))
            cells[2].append(good_turing(cluster_texts(train["text"], 20, 1).value_counts()["count"]))
            cells[3].append(good_turing(threshold_clusters(train["text"], 0.5).value_counts()["count"]))
            cells[4].append(float((nearest(train["text"], later["text"]).cosine[-1] >= COVERED).mean()))
        said = [f"{np.mean(cell):.2f} ({one:.2f})" for cell, one in zip(cells, SPECIFIED_COVERAGE[n], strict=True)]
        lines.append(f"| {n} | {' | '.join(said)} |")
    return lines


def clusters_against_intents(data: pl.DataFrame) -> list[str]:
    """How far automatic topics are from human ones."""
    from sklearn.metrics import normalized_mutual_info_score  # type: ignore[import-untyped]  # noqa: PLC0415  # untyped, slow

    intents = data["intent"].to_list()
    one, other = (normalized_mutual_info_score(intents, cluster_texts(data["text"], count, 1).to_list()) for count in (20, 77))
    return [f"Normalised mutual information of clusters and the 77 intents: {one:.2f} with 20 clusters, {other:.2f} with 77."]


def learning(dialogues: list[tuple[str, list[tuple[str, str]]]]) -> list[str]:
    """Gain per doubling on unique dialogues, and on copies."""
    answers = [words_of(mask(pl.Series([" ".join(text for who, text in said if who == "agent")]))[0]) for _, said in dialogues]
    order = np.random.default_rng(1).permutation(len(answers)).tolist()
    answers = [answers[i] for i in order if answers[i]]
    held, train = answers[:500], answers[500:]
    unique = learning_curve(train, held)
    copied = learning_curve(train[:400] * 8, held).tail(3)
    sizes = ", ".join(f"{n:,}: {g:.1%}" for n, g in unique.select("examples", "gain").drop_nulls().iter_rows())
    return [
        f"STAR answers, gain per doubling by size: {sizes}.",
        f"400 dialogues copied 2, 4 and 8 times: {', '.join(f'{g:.1%}' for g in copied['gain'].to_list())}.",
    ]


def wording() -> list[str]:
    """Token F1 of two answers of one intent and of two intents: what wording can tell."""
    with gzip.open(SHARED / "bitext_support_qa" / "bitext_support_4514.csv.gz", "rt", encoding="utf-8", newline="") as file:
        rows = pl.DataFrame(list(csv.DictReader(file))).select("intent", answer="response")
    words = [words_of(text) for text in mask(rows["answer"]).to_list()]
    generator = np.random.default_rng(1)
    one, other = generator.integers(0, rows.height, (2, 60_000))
    intents = rows["intent"].to_numpy()
    same = (intents[one] == intents[other]) & (one != other)
    within = [token_f1(words[i], words[j]) for i, j in zip(one[same].tolist(), other[same].tolist(), strict=True)][:1500]
    across = [token_f1(words[i], words[j]) for i, j in zip(one[~same][:1500].tolist(), other[~same][:1500].tolist(), strict=True)]
    reached = [float(np.mean(np.array(scores) >= SAME_F1)) for scores in (within, across)]
    return [
        f"Token F1 of two Bitext answers: within one intent median {np.median(within):.2f}, of two {np.median(across):.2f};",
        f"0.6 is reached by {reached[0]:.0%} and {reached[1]:.1%}. Paraphrases of one answer are mostly below 0.6, so differing",
        "words alone block nothing.",
    ]


def experiments() -> None:
    """Run all of them and write the page."""
    data, dialogues = banking(), star()
    sections: dict[str, Callable[[], list[str]]] = {
        "Drift (banking77, 200 runs)": lambda: drift(data),
        "Half-life of answers (200 simulated logs of a year, 300 pairs each)": half_lives,
        "Coverage (banking77, traffic by Zipf's law, mean of 5 draws; as specified in brackets)": lambda: coverage(data),
        "Automatic topics (banking77)": lambda: clusters_against_intents(data),
        "Marginal value of data": lambda: learning(dialogues),
        "Wording of answers": wording,
    }
    lines = ["# Readiness: experiments", "", "Made by `python benchmarks/readiness.py experiments`; seeds are fixed.", ""]
    for heading, work in sections.items():
        started = time.perf_counter()
        lines += [f"## {heading}", "", *work(), ""]
        print(f"{heading}: {time.perf_counter() - started:.0f} s")
    RESULTS.parent.mkdir(exist_ok=True)
    old = RESULTS.read_text("utf-8").partition("## Time and memory")[2] if RESULTS.exists() else ""
    RESULTS.write_text("\n".join(lines) + (f"## Time and memory{old}" if old else ""), "utf-8")


def scale(n: int) -> None:
    """Assess a line of n conversations, each the halves of two STAR dialogues of one topic; build it in another process."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        if os.fork() == 0:  # so that the peak is of the assessment alone
            _build(Path(folder), n)
            os._exit(0)
        os.wait()
        from checks.readiness.assess import assess  # noqa: PLC0415  # after the fork
        from checks.readiness.report import write  # noqa: PLC0415  # as above
        from pipeline.tables import Table  # noqa: PLC0415  # as above

        params = load_section(ReadinessParams, "readiness", [ROOT / "params.yaml"])
        started = time.perf_counter()
        last = [started]

        def tell(done: int, every: int) -> None:
            now = time.perf_counter()
            print(f"  {done} of {every}: {now - last[0]:.1f} s", flush=True)
            last[0] = now

        assessment = assess(Table(Path(folder) / "emit"), params, tell)
        write(assessment, Path(folder) / "report")
        seconds = time.perf_counter() - started
        used = resource.getrusage(resource.RUSAGE_SELF)
        peak = used.ru_maxrss / 2**20
        words = f"{assessment.values.own('second_detector_per_1000_words', None).n:,}"  # type: ignore[union-attr]  # always measured
    line = f"| {n:,} | {words} | {seconds:.0f} s | {used.ru_utime + used.ru_stime:.0f} s | {peak:.2f} GB |"
    print(line)
    text = RESULTS.read_text("utf-8") if RESULTS.exists() else ""
    if "## Time and memory" not in text:
        head = (
            "| conversations | words | wall time of `assess` with its report | CPU time | peak memory |\n|---|---|---|---|---|\n"
        )
        text += f"## Time and memory\n\n2 cores, shared with other work; limits: 100,000 in 600 s and 4 GB.\n\n{head}"
    RESULTS.write_text(text.rstrip("\n") + f"\n{line}\n", "utf-8")


def _build(folder: Path, n: int) -> None:
    from tests.build import turn  # noqa: PLC0415  # in the child only
    from tests.checks.readiness.lines import write_table  # noqa: PLC0415  # as above

    by_topic: dict[str, list[list[tuple[str, str]]]] = {}
    for topic, said in star():
        by_topic.setdefault(topic, []).append(said)
    topics = sorted(by_topic)
    weights = np.array([len(by_topic[topic]) for topic in topics], float)
    generator = np.random.default_rng(1)
    start = datetime(2025, 1, 1, tzinfo=UTC)
    rows: list[dict[str, Any]] = []
    for number in range(n):
        topic = topics[int(generator.choice(len(topics), p=weights / weights.sum()))]
        pool = by_topic[topic]
        one, other = (pool[int(i)] for i in generator.integers(len(pool), size=2))
        said = [*one[: len(one) // 2], *other[len(other) // 2 :]]
        while said and said[0][0] == "agent":
            said = said[1:]
        while said and said[-1][0] == "customer":
            said = said[:-1]
        said = [turned for place, turned in enumerate(said) if place == 0 or said[place - 1][0] != turned[0]]
        turns = [turn(who, text, place, author_key=f"{who}-{number % 200}") for place, (who, text) in enumerate(said)]
        rows.append(
            {
                "conversation_id": f"star-{number:016x}",
                "source": "star",
                "source_file": "star.jsonl",
                "source_row": number,
                "opened_at": start + timedelta(minutes=5 * number),
                "channel": "chat",
                "language": "en",
                "product": None,
                "topics": [topic],
                "customer_key": f"customer-{number % (n // 2)}",
                "outcome": {"resolved": None, "csat": None, "reopened": None},
                "turns": turns,
            }
        )
    parts = max(1, n // 20_000)
    given = None
    for stage in ("ingest", "scrub", "dedupe", "generate", "validate", "emit"):
        given = write_table(folder / stage, stage, rows, given=given, parts=parts)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["experiments", "scale"])
    parser.add_argument("--n", type=int, default=100_000)
    arguments = parser.parse_args()
    if arguments.what == "experiments":
        experiments()
    else:
        scale(arguments.n)
