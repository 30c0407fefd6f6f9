"""Kill -9 a run that asks a faulty endpoint, again and again: is anything paid twice, lost, or different in the end?

    python benchmarks/generate_kills.py 100 benchmarks/results/generate_kills.json

Every round starts the run in a process of its own and kills it after a random time, until one ends by itself; then the
next starts afresh, until the given number of kills is reached. The server fails one request in five in every way it knows and
meters what it bills. Twice: honouring Idempotency-Key, and not.
"""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from hashlib import sha256
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from pipeline.answering.replies import Replies
from pipeline.generate import run
from tests.build import MEANS, conversation
from tests.pipeline.generate_tables import deduped, params

QUESTIONS = 150
CONCURRENCY = 8
LATENCY_SECONDS = 0.01
CAP = 20.0
PRICES = "{tiny: {input_per_million: 10, output_per_million: 40}}"
WORDS = "amber birch cedar delta ember flint grove heron".split()  # noqa: SIM905  # one line


def settings(folder: Path, base_url: str) -> Any:
    """The params of every run."""
    return params(
        folder, provider="openai", openai__base_url=base_url, openai__key_variable="TICKETMILL_TEST_KEY", prices__models=PRICES,
        budget__max_cost=CAP, pace__concurrency=CONCURRENCY, pace__max_attempts=8, pace__first_wait_seconds=0.01,
    )  # fmt: skip


def source(folder: Path) -> Path:
    """Two parts of questions, all different."""
    rows = [
        conversation(number, f"Where is parcel {WORDS[number % 8]} {WORDS[number // 8 % 8]} {number}?")
        for number in range(QUESTIONS)
    ]
    return deduped(folder, rows[: QUESTIONS // 2], rows[QUESTIONS // 2 :])


def one_run(folder: Path, base_url: str) -> None:
    """What the killed process does."""
    chosen = settings(folder, base_url)
    import aiohttp  # noqa: F401, PLC0415  # what takes half a second belongs before the run begins
    import sklearn.feature_extraction.text  # noqa: F401, PLC0415  # as above

    print("begins", flush=True)
    run(folder / "deduped", folder / "generated", chosen, MEANS)


def content(table: Path) -> str:
    """One hash over every file of a table."""
    files = sorted(path for path in table.rglob("*") if path.is_file())
    return sha256(b"".join(path.relative_to(table).as_posix().encode() + path.read_bytes() for path in files)).hexdigest()


def serve(*more: str) -> tuple[subprocess.Popen[str], str]:
    """Start the server; its process and address."""
    command = [sys.executable, "-m", "tests.llm_server", "--latency", str(LATENCY_SECONDS), *more]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def meter(base_url: str) -> dict[str, int]:
    """What the server received and billed."""
    with urllib.request.urlopen(base_url.removesuffix("/v1") + "/meter") as answer:  # noqa: S310  # our own server
        metered: dict[str, int] = json.load(answer)
        return metered


def round_of_kills(place: Path, draw: random.Random, forgetful: bool, seed: int) -> dict[str, Any]:
    """Kill one run until it ends by itself, and look at what it left."""
    folder = place / f"{seed}"
    folder.mkdir()
    source(folder)
    server, base_url = serve("--faults", "0.2", "--seed", str(seed), *(["--forgetful"] if forgetful else []))
    kills = 0
    try:
        while True:
            command = [sys.executable, __file__, "--one", str(folder), base_url]
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            assert process.stdout is not None
            process.stdout.readline()  # the imports are done, the run begins
            try:
                _, complaint = process.communicate(
                    timeout=draw.uniform(0.0, 1.5 * 1.1**kills)
                )  # it ends some day, on a busy machine too
            except subprocess.TimeoutExpired:
                os.kill(process.pid, signal.SIGKILL)
                process.communicate()
                kills += 1
                continue
            if process.returncode:
                raise RuntimeError(complaint)
            break
        metered = meter(base_url)
        with Replies(folder / "replies") as replies:
            held = replies.connection.execute("SELECT held_requests FROM account").fetchone()[0]
        # an undisturbed run over the same replies' content: same address, fresh folder, no faults left to come
        calm = place / f"{seed}-calm"
        calm.mkdir()
        source(calm)
        run(calm / "deduped", calm / "generated", settings(calm, base_url), MEANS)
        spent = (metered["input_tokens"] * 10 + metered["output_tokens"] * 40) / 1e6
        return {
            "kills": kills,
            "billed_more_than_once": metered["billed_twice"],
            "still_reserved": held,
            "spent": spent,
            "overspent": spent > CAP,
            "identical": content(folder / "generated") == content(calm / "generated"),
        }
    finally:
        server.kill()
        server.wait()


def main(kills: int, results: Path) -> None:
    """Kill and write."""
    os.environ["TICKETMILL_TEST_KEY"] = "none"
    report: dict[str, Any] = {"questions": QUESTIONS, "concurrency": CONCURRENCY, "fault_share": 0.2, "cap": CAP}
    for name, forgetful, wanted in (("honours_idempotency_key", False, kills), ("ignores_it", True, kills // 5)):
        total: Counter[str] = Counter()
        draw, seed = random.Random(1), 0  # noqa: S311  # a seeded choice of moments
        started = time.perf_counter()
        with tempfile.TemporaryDirectory() as place:
            while total["kills"] < wanted:
                total.update(
                    {
                        key: int(value)
                        for key, value in round_of_kills(Path(place), draw, forgetful, seed).items()
                        if key != "spent"
                    }
                )
                seed += 1
        report[name] = {"runs": seed, **total, "seconds": round(time.perf_counter() - started)}
        print(json.dumps(report[name]), flush=True)
    results.parent.mkdir(exist_ok=True)
    results.write_text(json.dumps(report, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    if sys.argv[1] == "--one":
        one_run(Path(sys.argv[2]), sys.argv[3])
    else:
        main(int(sys.argv[1]), Path(sys.argv[2]))
