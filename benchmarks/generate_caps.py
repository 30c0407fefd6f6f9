"""Does a cap hold? Four processes at once ask a faulty endpoint that bills what it likes to forget, under one cap of 1.00.

    python benchmarks/generate_caps.py 50 benchmarks/results/generate_caps.json

Every run has its own server, which fails two requests in five in every way it knows, does not honour Idempotency-Key and
meters what it bills, also for replies that never arrived; its own folder of replies; and four processes with questions of
their own, of which each is killed and started once more. What the server metered is compared with the cap.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.generate_kills import meter, serve
from pipeline.errors import BudgetReached
from pipeline.generate import run
from tests.build import MEANS, conversation
from tests.pipeline.generate_tables import deduped, params

CAP = 1.00
PROCESSES = 4
QUESTIONS = 120
INPUT_PRICE, OUTPUT_PRICE = 10, 40
"""Per million tokens: so dear that all questions together would cost about three times the cap."""


def one_run(folder: Path, base_url: str, number: int) -> None:
    """What one of the processes does."""
    prices = f"{{tiny: {{input_per_million: {INPUT_PRICE}, output_per_million: {OUTPUT_PRICE}}}}}"
    chosen = params(
        folder, provider="openai", openai__base_url=base_url, openai__key_variable="TICKETMILL_TEST_KEY", prices__models=prices,
        budget__max_cost=CAP, pace__concurrency=8, pace__first_wait_seconds=0.01, replies=folder / "replies",
    )  # fmt: skip
    try:
        run(folder / f"{number}" / "deduped", folder / f"{number}" / "generated", chosen, MEANS)
    except BudgetReached:
        sys.exit(4)


def metered_run(folder: Path, seed: int) -> tuple[float, list[int]]:
    """What the server billed, and how the processes ended."""
    draw = random.Random(seed)  # noqa: S311  # a seeded choice of moments
    for number in range(PROCESSES):
        (folder / f"{number}").mkdir()
        rows = [conversation(1000 * number + place, f"Where is parcel {number} {place} of mine?") for place in range(QUESTIONS)]
        deduped(folder / f"{number}", rows)
    server, base_url = serve("--faults", "0.4", "--seed", str(seed), "--forgetful")
    try:
        for is_last in (False, True):
            commands = [[sys.executable, __file__, "--one", str(folder), base_url, str(number)] for number in range(PROCESSES)]
            processes = [subprocess.Popen(command, stderr=subprocess.DEVNULL) for command in commands]
            if not is_last:
                time.sleep(draw.uniform(1.0, 4.0))
                for process in processes:
                    process.kill()
            codes = [process.wait() for process in processes]
        metered = meter(base_url)
        return (metered["input_tokens"] * INPUT_PRICE + metered["output_tokens"] * OUTPUT_PRICE) / 1e6, codes
    finally:
        server.kill()
        server.wait()


def main(runs: int, results: Path) -> None:
    """Run and write."""
    os.environ["TICKETMILL_TEST_KEY"] = "none"
    spent: list[float] = []
    stopped = 0
    for seed in range(runs):
        with tempfile.TemporaryDirectory() as folder:
            billed, codes = metered_run(Path(folder), seed)
        spent.append(billed)
        stopped += codes.count(4)
        print(seed, round(billed, 4), codes, flush=True)
    report: dict[str, Any] = {
        "runs": runs, "processes": PROCESSES, "cap": CAP, "most_billed": round(max(spent), 4),
        "least_billed": round(min(spent), 4),
        "over_the_cap": sum(each > CAP for each in spent), "processes_stopped_by_the_cap": stopped,
    }  # fmt: skip
    print(json.dumps(report))
    results.parent.mkdir(exist_ok=True)
    results.write_text(json.dumps(report, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    if sys.argv[1] == "--one":
        one_run(Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
    else:
        main(int(sys.argv[1]), Path(sys.argv[2]))
