"""What asking a model costs us: 13,083 unanswered questions against a local server that takes 50 ms, 64 at once.

    python benchmarks/generate_calls.py ../shared/data/banking77 benchmarks/results/generate_calls.json

Prints and writes wall time beside the ideal (requests x latency / concurrency), our own CPU per request, and how many
requests a second run makes. The server runs in a process of its own and answers 50 ms after it has read a request: its CPU is not
ours, but it is told too, since it shares the cores, and so is the load before the run.
"""

import gzip
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import polars as pl

sys.path.insert(0, str(Path(__file__).parents[1]))

from pipeline.generate import run
from tests.build import MEANS, conversation
from tests.pipeline.generate_tables import deduped, params

LATENCY_SECONDS = 0.05
CONCURRENCY = 64


def cpu_seconds() -> float:
    """User and system time of this process so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def meter(base_url: str) -> dict[str, int]:
    """What the server received and billed."""
    with urllib.request.urlopen(base_url.removesuffix("/v1") + "/meter") as answer:  # noqa: S310  # our own server
        content: dict[str, int] = json.load(answer)
        return content


def main(received: Path, results: Path) -> None:
    """Measure and write."""
    files = [gzip.decompress((received / name).read_bytes()) for name in ("train.csv.gz", "test.csv.gz")]
    texts = pl.concat([pl.read_csv(file) for file in files])["text"].to_list()
    os.environ["TICKETMILL_TEST_KEY"] = "none"
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.llm_server", "--latency", str(LATENCY_SECONDS)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        base_url = server.stdout.readline().strip()
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            source = deduped(folder, [conversation(number, text) for number, text in enumerate(texts)])
            chosen = params(
                folder, provider="openai", openai__base_url=base_url, openai__key_variable="TICKETMILL_TEST_KEY",
                pace__concurrency=CONCURRENCY, pace__timeout_seconds=60,
            )  # fmt: skip
            report: dict[str, float] = {"questions": len(texts), "latency_seconds": LATENCY_SECONDS, "concurrency": CONCURRENCY}
            report |= {"load_before": round(os.getloadavg()[0], 1), "cores": os.cpu_count() or 0}
            for name in ("first", "second"):
                before, started, used = meter(base_url)["requests"], time.perf_counter(), cpu_seconds()
                manifest = run(source, folder / name, chosen, MEANS)
                wall, cpu = time.perf_counter() - started, cpu_seconds() - used
                requests = meter(base_url)["requests"] - before
                report |= {
                    f"{name}_requests": requests,
                    f"{name}_wall_seconds": round(wall, 2),
                    f"{name}_cpu_seconds": round(cpu, 2),
                }
                report |= {f"{name}_answered": manifest.counts.get("answered", 0)}
                if requests:
                    ideal = requests * LATENCY_SECONDS / CONCURRENCY
                    report |= {"ideal_seconds": round(ideal, 2), "wall_by_ideal": round(wall / ideal, 3)}
                    report |= {"cpu_ms_per_request": round(cpu / requests * 1000, 3)}
    finally:
        server.kill()
        server.wait()
    served = resource.getrusage(resource.RUSAGE_CHILDREN)
    report["server_cpu_ms_per_request"] = round((served.ru_utime + served.ru_stime) / report["first_requests"] * 1000, 3)
    print(json.dumps(report, indent=1))
    results.parent.mkdir(exist_ok=True)
    results.write_text(json.dumps(report, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
