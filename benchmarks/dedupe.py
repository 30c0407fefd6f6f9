"""Measure dedupe beside its peers: time, memory, growth, precision and recall, and F1 on labelled records.

    python benchmarks/dedupe.py peers FOLDER     make FOLDER/text-dedup and FOLDER/datatrove: pinned virtual environments
    python benchmarks/dedupe.py speed FOLDER     100,000 dialogues through the whole command of each, start-up and I/O included
    python benchmarks/dedupe.py growth FOLDER [ROWS ...]   ticketmill alone on more and more short conversations
    python benchmarks/dedupe.py incremental FOLDER [ROWS]   one percent more than the index knows
    python benchmarks/dedupe.py quality FOLDER   precision and recall against brute force
    python benchmarks/dedupe.py records FOLDER   F1 on near_dup_records, beside text-dedup and datatrove on the same shingles
    python benchmarks/dedupe.py kills FOLDER [ROWS]   ten runs and ten more batches, each killed at another moment and run again

Results go to benchmarks/results/dedupe.json, one key per command. Corpora are made from seeds in FOLDER (`dedupe_corpus`).
CPU seconds are those of all processes that were waited for; peak memory is the largest sum of their proportional set sizes.
"""

import ctypes
import gzip
import hashlib
import json
import os
import platform
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from importlib.metadata import version
from itertools import combinations, islice
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.dedupe_corpus import ROWS_PER_PART, dialogues, write_table
from pipeline.dedupe import DedupeParams, dedupe, sketch_part
from pipeline.params import load_section
from pipeline.schema import SCRUBBED
from pipeline.similarity.clusters import join
from pipeline.similarity.judging import verdict_of_all
from pipeline.tables import Table

ROOT: Final = Path(__file__).resolve().parents[1]
RESULTS: Final = ROOT / "benchmarks/results/dedupe.json"
SHARED: Final = Path(os.environ.get("TICKETMILL_SHARED", ROOT.parent / "shared"))
PEERS: Final = ROOT / "benchmarks/peers"
"""One file per peer: every package of its environment, as `pip freeze` wrote it when the figures were taken."""

PR_SET_CHILD_SUBREAPER: Final = 36
"""linux/prctl.h: processes whose parent ended become children of this one."""

UNMASKED: Final = "dedupe.mask=[]"
"""Peers know no surrogates."""

DATATROVE: Final = """
import sys
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.dedup import MinhashDedupBuckets, MinhashDedupCluster, MinhashDedupFilter, MinhashDedupSignature
from datatrove.pipeline.dedup.minhash import MinhashConfig
from datatrove.pipeline.readers import ParquetReader
from datatrove.pipeline.writers import ParquetWriter
from datatrove.utils.hashing import HashConfig

if __name__ == "__main__":
    source, work, bands, rows = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    config = MinhashConfig(n_grams=5, num_buckets=bands, hashes_per_bucket=rows, hash_config=HashConfig(precision=64))
    read = lambda: ParquetReader(source, glob_pattern="*.parquet")
    steps = [
        ([read(), MinhashDedupSignature(f"{work}/signatures", config)], 2),
        ([MinhashDedupBuckets(f"{work}/signatures", f"{work}/buckets", config=config)], bands),
        ([MinhashDedupCluster(f"{work}/buckets", f"{work}/remove", config, save_cluster_id=True)], 1),
        ([read(), MinhashDedupFilter(f"{work}/remove"), ParquetWriter(f"{work}/kept")], 2),
    ]
    for number, (steps_, tasks) in enumerate(steps):
        LocalPipelineExecutor(steps_, tasks=tasks, workers=2, logging_dir=f"{work}/logs{number}").run()
"""


def main() -> None:
    """Run the command named on the command line."""
    command, folder = sys.argv[1], Path(sys.argv[2]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    commands: dict[str, Callable[[], Any]] = {
        "peers": lambda: make_peers(folder),
        "speed": lambda: speed(folder),
        "growth": lambda: growth(folder, [int(rows) for rows in sys.argv[3:]] or [100_000, 1_000_000, 5_000_000]),
        "incremental": lambda: incremental(folder, *[int(rows) for rows in sys.argv[3:]]),
        "quality": quality,
        "records": lambda: records(folder),
        "kills": lambda: kills(folder, *[int(rows) for rows in sys.argv[3:]]),
    }
    found = commands[command]()
    print(json.dumps(found, indent=1))
    if command != "peers":
        results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
        results[command] = {"machine": machine(), **found}
        RESULTS.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")


def machine() -> dict[str, Any]:
    """Where the figures were taken."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    names = [
        line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")
    ]
    return {
        "cpu": names[0] if names else platform.machine(),
        "cores": os.cpu_count(),
        "memory_gb": round(memory / 1e9),
        "load_before": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        **{name: version(name) for name in ("polars", "numba", "numpy", "datasketch")},
    }


def make_peers(folder: Path) -> dict[str, str]:
    """A virtual environment per peer; the project's own is not touched."""
    made = {}
    for pins in sorted(PEERS.glob("*.txt")):
        place = folder / pins.stem
        if not (place / "bin/python").exists():
            subprocess.run([sys.executable, "-m", "venv", place], check=True)
        # they are complete, and one of them holds a package whose own bounds they do not meet
        subprocess.run([place / "bin/python", "-m", "pip", "install", "--quiet", "--no-deps", "-r", pins], check=True)
        made[pins.stem] = next(line for line in pins.read_text().splitlines() if line.startswith(f"{pins.stem}=="))
    return made


def measured(command: Sequence[str | Path], **options: Any) -> dict[str, float]:
    """Run a command to its end: wall and CPU seconds, peak memory of the whole family of processes in MB."""
    start, before, peak = time.monotonic(), _cpu_of_children(), 0
    with tempfile.TemporaryFile() as errors:  # a pipe that nobody reads would stop a peer with progress bars
        process = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=errors, **options)
        while process.poll() is None:
            peak = max(peak, _memory_of(process.pid))
            time.sleep(0.05)
        wall = time.monotonic() - start
        _wait_for_orphans()
        if process.returncode:
            errors.seek(0)
            raise SystemExit(f"{command[0]} failed:\n{errors.read().decode(errors='replace')[-2000:]}")
    return {"wall_s": round(wall, 2), "cpu_s": round(_cpu_of_children() - before, 2), "peak_mb": round(peak / 1e6)}


def _wait_for_orphans() -> None:
    """So that what datatrove's workers spent counts: the server that forks them outlives it."""
    with suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)


def _cpu_of_children() -> float:
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def _memory_of(session: int) -> int:
    """Sum of the proportional set sizes of the processes of one session, in bytes."""
    total = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(stat.read_text().rpartition(")")[2].split()[3]) == session:
                rollup = (stat.parent / "smaps_rollup").read_text()
                total += next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")) * 1024
        except (OSError, StopIteration, IndexError):  # it ended meanwhile
            continue
    return total


def ticketmill(source: Path, target: Path, *settings: str, fresh: bool = True) -> dict[str, float]:
    """The whole command; `fresh`: without what an earlier run left."""
    for folder in (target, target.with_name("index")) if fresh else ():
        shutil.rmtree(folder, ignore_errors=True)
    command, environment = dedupe_command(source, target, *settings)
    return measured(command, cwd=ROOT, env=environment)


def dedupe_command(source: Path, target: Path, *settings: str) -> tuple[list[str | Path], dict[str, str]]:
    """The command line and its environment."""
    program = Path(sys.executable).with_name("ticketmill")
    arguments = [option for setting in settings for option in ("--set", setting)]
    environment = {**os.environ, "TICKETMILL_KEY": "0" * 64}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # as users have it: Python keeps what it compiled
    return [program, "dedupe", source, target, "--workers", "2", *arguments], environment


def flat_texts(source: Path, folder: Path) -> int:
    """The same dialogues as peers read them: id and text, a Parquet file per part; returns their number."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    table, rows = Table(source), 0
    for part in table.manifest.parts:
        text = pl.col("turns").list.eval(pl.element().struct.field("text")).list.join("\n")
        frame = table.read(part, columns=("conversation_id", "turns")).select(id="conversation_id", text=text)
        frame.write_parquet(folder / f"{part.name}.parquet", compression="zstd")
        rows += frame.height
    return rows


def text_dedup(
    peers: Path,
    source: Path,
    work: Path,
    *,
    threshold: float = 0.8,
    permutations: int = 112,
    bands: int = 14,
    rows: int = 8,
    more: Sequence[str] = (),
) -> dict[str, float]:
    """Its own command line, two processes, the faster of its two hashes."""
    shutil.rmtree(work, ignore_errors=True)
    arguments = ["--path", "parquet", "--data_files", f"{source}/*.parquet", "--split", "train", "--cache_dir", f"{work}/cache"]
    arguments += ["--output", f"{work}/kept", "--column", "text", "--ngram", "5", "--min_length", "1"]
    arguments += ["--threshold", str(threshold), "--num_perm", str(permutations), "--b", str(bands), "--r", str(rows)]
    arguments += ["--hash_func", "xxh3", "--num_proc", "2", *more]
    program = [peers / "text-dedup/bin/python", "-m", "text_dedup.minhash"]
    return measured([*program, *arguments], env={**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(work / "home")})


def datatrove(peers: Path, source: Path, work: Path, *, bands: int = 14, rows: int = 8) -> dict[str, float]:
    """Its four steps, two workers; 14 buckets of 8 are the defaults of its MinhashConfig."""
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    script = work / "run.py"
    script.write_text(DATATROVE)
    return measured(
        [peers / "datatrove/bin/python", script, source, work, str(bands), str(rows)], env={**os.environ, "HF_HUB_OFFLINE": "1"}
    )


def speed(folder: Path, rows: int = 100_000, runs: int = 3) -> dict[str, Any]:
    """One run after the other on the same dialogues; of ticketmill the median of `runs`, so short they are."""
    source = folder / "speed/scrubbed"
    if not source.exists():
        write_table(source, dialogues(rows))
    size = flat_texts(source, folder / "speed/flat")
    text_mb = sum(
        int(pl.scan_parquet(file).select(pl.col("text").str.len_bytes().sum()).collect().item())
        for file in (folder / "speed/flat").iterdir()
    )
    target = folder / "speed/deduped"
    ticketmill(source, target, UNMASKED)  # compiles the kernel where that was never done
    ours = sorted((ticketmill(source, target, UNMASKED) for _ in range(runs)), key=lambda one: one["wall_s"])[runs // 2]
    ours["kept"] = Table(target).manifest.total("kept")
    found: dict[str, Any] = {"dialogues": size, "text_mb": round(text_mb / 1e6, 1), "ticketmill": ours}
    work = folder / "speed/text-dedup"
    found["text-dedup 0.4.0"] = text_dedup(folder, folder / "speed/flat", work)
    found["text-dedup 0.4.0"]["kept"] = _rows_of(work / "kept", "*.arrow")
    print(json.dumps(found, indent=1), file=sys.stderr, flush=True)  # datatrove takes a while
    work = folder / "speed/datatrove"
    found["datatrove 0.10.1"] = datatrove(folder, folder / "speed/flat", work)
    found["datatrove 0.10.1"]["kept"] = _rows_of(work / "kept", "*.parquet")
    for name in ("text-dedup 0.4.0", "datatrove 0.10.1"):
        found[name]["times_slower_wall"] = round(found[name]["wall_s"] / ours["wall_s"], 1)
        found[name]["times_slower_cpu"] = round(found[name]["cpu_s"] / ours["cpu_s"], 1)
        found[name]["times_the_memory"] = round(found[name]["peak_mb"] / ours["peak_mb"], 2)
    return found


def _rows_of(folder: Path, pattern: str) -> int:
    scan = pl.scan_parquet if pattern.endswith("parquet") else _scan_stream
    return sum(int(scan(file).select(pl.len()).collect().item()) for file in sorted(folder.glob(pattern)))


def _scan_stream(file: Path) -> pl.LazyFrame:
    return pl.read_ipc_stream(file).lazy()


def growth(folder: Path, sizes: Iterable[int], words: int = 30) -> dict[str, Any]:
    """Conversations of `words` words in 2 turns, 20 % of them copies, in numbers that grow."""
    start = startup(folder)
    found: dict[str, Any] = {"words_each": words, "startup": start}
    for rows in sizes:
        source = folder / f"growth-{rows}/scrubbed"
        if not source.exists():
            write_table(source, dialogues(rows, words_each=words, turns=2))
        target = folder / f"growth-{rows}/deduped"
        found[str(rows)] = once = ticketmill(source, target, UNMASKED)
        once["cpu_s_per_million_without_start"] = round((once["cpu_s"] - start["cpu_s"]) / rows * 1e6, 2)
        once["kept"] = Table(target).manifest.total("kept")
    return found


def startup(folder: Path) -> dict[str, float]:
    """The whole command on one short conversation: what any run takes, however little there is to do."""
    source = folder / "startup/scrubbed"
    if not source.exists():
        write_table(source, dialogues(1, words_each=30, turns=2))
    ticketmill(source, folder / "startup/deduped", UNMASKED)  # compiles the kernel where that was never done
    return _median(ticketmill(source, folder / "startup/deduped", UNMASKED) for _ in range(SHORT_RUNS))


SHORT_RUNS: Final = 5
"""What takes a second is measured so often, and the median taken."""


def _median(runs: Iterable[dict[str, float]]) -> dict[str, float]:
    """The run in the middle by processor time."""
    ordered = sorted(runs, key=lambda one: one["cpu_s"])
    return ordered[len(ordered) // 2]


def incremental(folder: Path, rows: int = 1_000_000) -> dict[str, Any]:
    """One percent more conversations than the index knows, beside a run over all of them from nothing; whole commands.

    Short conversations, and chats as long as support's are: of a short one less has to be sketched, so what the command takes
    however little there is to do, its start, weighs more.
    """
    start = startup(folder)
    found: dict[str, Any] = {"conversations": rows, "startup": start}
    parts = rows // ROWS_PER_PART
    new = max(1, parts // 100)
    for words, turns in ((30, 2), (100, 6)):
        place = folder / f"incremental-{rows}-{words}"
        for name, count in (("before", parts), ("after", parts + new)):
            if not (place / name).exists():
                frames = dialogues((parts + new) * ROWS_PER_PART, words_each=words, turns=turns)
                write_table(place / name, islice(frames, count))
        target = place / "deduped"
        fresh = ticketmill(place / "after", target, UNMASKED)
        kept = Table(target).manifest.parts
        ticketmill(place / "before", target, UNMASKED)
        _linked(place, place / "known")

        def one_more(place: Path = place, target: Path = target) -> dict[str, float]:
            _linked(place / "known", place)
            return ticketmill(place / "after", target, UNMASKED, fresh=False)

        again = _median(one_more() for _ in range(SHORT_RUNS))
        found[f"{words}_words_each"] = {
            "new": new * ROWS_PER_PART,
            "from_nothing": fresh,
            "with_index": again,
            "same_parts": kept == Table(target).manifest.parts,
            "nothing_new": _median(ticketmill(place / "after", target, UNMASKED, fresh=False) for _ in range(SHORT_RUNS)),
            "share_of_wall": round(again["wall_s"] / fresh["wall_s"], 3),
            "share_of_cpu": round(again["cpu_s"] / fresh["cpu_s"], 3),
            "start_share_of_with_index": round(start["cpu_s"] / again["cpu_s"], 3),
            "share_of_cpu_without_start": round((again["cpu_s"] - start["cpu_s"]) / (fresh["cpu_s"] - start["cpu_s"]), 3),
        }
    return found


def _linked(source: Path, target: Path) -> None:
    """Table and index of one folder in the other: nothing writes into a file that is there, so links are copies."""
    for name in ("deduped", "index"):
        shutil.rmtree(target / name, ignore_errors=True)
        shutil.copytree(source / name, target / name, copy_function=os.link)


def shipped(**more: Any) -> DedupeParams:
    """The params we ship, without masks."""
    values = load_section(DedupeParams, "dedupe", [ROOT / "params.yaml"]).model_dump()
    return DedupeParams.model_validate({**values, "mask": [], **more})


def quality(rows: int = 5000) -> dict[str, Any]:
    """How many pairs of truly similar texts end in one cluster, and how many of one cluster's edges are true.

    Dialogues of which 60 % are copies with 0 to 24 of 167 words replaced; similarity by Python sets of word 5-grams.
    """
    frame = next(dialogues(rows, seed=7))
    texts = [" ".join(turn["text"] for turn in turns) for turns in frame["turns"].to_list()]
    rng = np.random.default_rng(3)
    for number in range(2000, rows):  # the generator plants too few pairs near the threshold among 5,000
        words = texts[int(rng.integers(0, 2000))].split()
        for place in rng.integers(0, len(words), rng.integers(0, 7)):
            words[int(place)] = f"n{number}x{place}"
        texts[number] = " ".join(words)
    frame = frame.with_columns(turns=pl.concat_list(pl.col("turns").list.first().struct.with_fields(text=pl.Series(texts))))
    sets = [_shingles(text, 5) for text in texts]
    truth = {(a, b): similarity for a, b, similarity in _all_pairs(sets, 0.8)}
    verdict = verdict_of_all([sketch_part(frame, None, shipped())], shipped().rule())
    cluster = verdict["cluster_id"].to_list()

    def recall(at_least: float) -> float:
        pairs = [pair for pair, similarity in truth.items() if similarity >= at_least]
        return round(sum(cluster[a] == cluster[b] for a, b in pairs) / len(pairs), 4)

    members = dedupe(frame, shipped()).beside["clusters"].filter(~pl.col("is_keeper"))
    number_of = {name: number for number, name in enumerate(frame["conversation_id"])}
    stated = [(number_of[a], number_of[b], similarity) for a, b, _, similarity in members.iter_rows()]
    exact = [round(len(sets[a] & sets[b]) / len(sets[a] | sets[b]), 6) == similarity for a, b, similarity in stated]
    linked = join(np.arange(rows), *np.array(list(truth)).T)
    ours = {name: number for number, name in enumerate(dict.fromkeys(cluster))}
    merged = [ours[name] for name in cluster]
    false = sum(len({int(linked[row]) for row in group}) - 1 for group in _groups(merged))
    return {
        "true_pairs": len(truth),
        "precision_of_links": 1.0 if false == 0 else round(1 - false / (rows - len(ours)), 4),
        "stated_similarities_exact": round(sum(exact) / len(exact), 6),
        "recall_of_pairs_at_0.80": recall(0.80),
        "recall_of_pairs_at_0.85": recall(0.85),
    }


def _groups(labels: Sequence[int]) -> Iterable[list[int]]:
    groups: dict[int, list[int]] = {}
    for row, label in enumerate(labels):
        groups.setdefault(label, []).append(row)
    return groups.values()


def _shingles(text: str, size: int) -> set[tuple[str, ...]]:
    words = text.lower().replace("!", " ").split()
    return {tuple(words[start : start + size]) for start in range(max(1, len(words) - size + 1))}


def _all_pairs(sets: Sequence[set[Any]], at_least: float) -> Iterable[tuple[int, int, float]]:
    """Every pair that reaches the similarity, by counting shared shingles: exact, nothing is sampled or hashed."""
    where: dict[Any, list[int]] = {}
    for number, shingles in enumerate(sets):
        common: dict[int, int] = {}
        for one in shingles:
            for other in where.setdefault(one, []):
                common[other] = common.get(other, 0) + 1
            where[one].append(number)
        for other, shared in common.items():
            similarity = shared / (len(shingles) + len(sets[other]) - shared)
            if similarity >= at_least:
                yield other, number, similarity


THRESHOLDS: Final = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


def records(folder: Path) -> dict[str, Any]:
    """Best F1 over thresholds on Cora and restaurants, where all pairs of one cluster count as found.

    Everybody gets the same shingles, runs of 5 characters: each character is spelt as a word of letters, which no tool's
    normalisation changes, and shingles are runs of 5 words. Everybody gets 256 permutations, and the bands and rows that
    datasketch finds best for the threshold.
    """
    found: dict[str, Any] = {}
    for name, (ids, texts, truth) in {"cora": _cora(), "restaurants": _restaurants()}.items():
        spelt = [_spelt(text) for text in texts]
        frame, scores = _conversations(spelt), {}
        source = folder / f"records/{name}"
        source.mkdir(parents=True, exist_ok=True)
        pl.DataFrame({"id": [str(each) for each in ids], "text": spelt}).write_parquet(source / "records.parquet")
        for threshold in THRESHOLDS:
            params = shipped(min_jaccard=threshold, bands=None, rows=None, permutations=256)
            bands, rows = params.recipe().bands, params.recipe().rows
            clusters = {
                "ticketmill": verdict_of_all([sketch_part(frame, None, params)], params.rule())["cluster_id"].to_list(),
                "brute_force_clusters": _brute_clusters(spelt, threshold),
                "text-dedup 0.4.0": _clusters_of_text_dedup(folder, source, threshold, bands, rows, len(texts)),
                "datatrove 0.10.1": _clusters_of_datatrove(folder, source, bands, rows, len(texts)),
            }
            for tool, cluster in clusters.items():
                scores.setdefault(tool, {})[str(threshold)] = _scores(cluster, ids, truth)
            print(name, threshold, {tool: one[str(threshold)]["f1"] for tool, one in scores.items()}, file=sys.stderr, flush=True)
        best = {tool: max(one, key=lambda at: one[at]["f1"]) for tool, one in scores.items()}
        found[name] = {tool: {"threshold": float(best[tool]), **scores[tool][best[tool]]} for tool in scores}
        found[name]["f1_by_threshold"] = {tool: {at: one["f1"] for at, one in each.items()} for tool, each in scores.items()}
    return found


def _spelt(text: str) -> str:
    """Every letter, digit and gap of the text as one word of two letters."""
    plain = " ".join("".join(c if c.isalnum() else " " for c in text.lower()).split())
    return " ".join(f"z{chr(97 + ord(c) % 26)}{chr(97 + ord(c) // 26 % 26)}" for c in plain)


def _clusters_of_text_dedup(folder: Path, source: Path, threshold: float, bands: int, rows: int, count: int) -> list[int]:
    work = folder / "records/text-dedup"
    text_dedup(folder, source, work, threshold=threshold, permutations=256, bands=bands, rows=rows, more=("--debug",))
    code = "import json, pickle, sys; uf = pickle.load(open(sys.argv[1], 'rb')); "
    code += "print(json.dumps([[number, uf.find(number)] for number in uf.parent]))"
    program = folder / "text-dedup/bin/python"
    tied = json.loads(subprocess.check_output([program, "-c", code, work / "kept/uf.pkl"]))
    return [dict(tied).get(number, number) for number in range(count)]


def _clusters_of_datatrove(folder: Path, source: Path, bands: int, rows: int, count: int) -> list[int]:
    work = folder / "records/datatrove"
    datatrove(folder, source, work, bands=bands, rows=rows)
    tied = {}
    for file in (work / "remove").glob("*.clusters"):
        pairs = np.frombuffer(file.read_bytes(), "<u4").reshape(-1, 2)
        tied |= {int(number): count + int(cluster) for number, cluster in pairs}
    return [tied.get(number, number) for number in range(count)]


def _brute_clusters(texts: Sequence[str], threshold: float) -> list[int]:
    pairs = [(a, b) for a, b, _ in _all_pairs([_shingles(text, 5) for text in texts], threshold)]
    return [int(one) for one in join(np.arange(len(texts)), *np.array(pairs).reshape(-1, 2).T)]


def kills(folder: Path, rows: int = 100_000, moments: int = 10) -> dict[str, Any]:
    """Kill -9 at ten moments of a run from nothing, and at ten of the batch that follows; each is run again to its end.

    Table and index must be byte for byte those of runs that nobody killed.
    """
    place = folder / f"kills-{rows}"
    for name, count in (("before", rows), ("after", rows + rows // 10)):
        if not (place / name).exists():
            write_table(place / name, islice(dialogues(rows + rows // 10), -(-count // ROWS_PER_PART)))
    target = place / "deduped"
    found: dict[str, Any] = {"conversations": rows}
    for name, known in (("before", None), ("after", "before")):
        shutil.rmtree(place / "known", ignore_errors=True)
        if known:
            ticketmill(place / known, target, UNMASKED)
            shutil.copytree(target, place / "known/deduped")
            shutil.copytree(target.with_name("index"), place / "known/index")
        seconds = ticketmill(place / name, target, UNMASKED, fresh=not known)["wall_s"]
        wanted = _content(place)
        same = []
        for moment in range(1, moments + 1):
            for path in (target, target.with_name("index")):
                shutil.rmtree(path, ignore_errors=True)
                if known:
                    shutil.copytree(place / "known" / path.name, path)
            command, environment = dedupe_command(place / name, target, UNMASKED)
            process = subprocess.Popen(command, start_new_session=True, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
            time.sleep(seconds * moment / (moments + 1))
            was_running = process.poll() is None
            os.killpg(process.pid, signal.SIGKILL) if was_running else None
            process.wait()
            ticketmill(place / name, target, UNMASKED, fresh=False)
            same.append(_content(place) == wanted)
            print(name, moment, "killed" if was_running else "was over", same[-1], file=sys.stderr, flush=True)
        found["from_nothing" if not known else "a_batch_more"] = {"moments": moments, "same_bytes": sum(same)}
    return found


def _content(place: Path) -> dict[str, str]:
    """Hash of every file of the table and the index."""
    files = [path for name in ("deduped", "index") for path in sorted((place / name).rglob("*")) if path.is_file()]
    return {str(path.relative_to(place)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _scores(cluster: Sequence[Any], ids: Sequence[int], truth: set[tuple[int, int]]) -> dict[str, float]:
    pairs = {(min(ids[a], ids[b]), max(ids[a], ids[b])) for group in _groups(cluster) for a, b in combinations(group, 2)}
    right = len(pairs & truth)
    precision, recall = right / max(1, len(pairs)), right / len(truth)
    f1 = 2 * precision * recall / (precision + recall) if right else 0.0
    return {"precision": round(precision, 3), "recall": round(recall, 3), "f1": round(f1, 3)}


def _conversations(texts: Sequence[str]) -> pl.DataFrame:
    blank = {name: [None] * len(texts) for name in SCRUBBED}
    turns = [[{"turn_id": "t0", "speaker": "customer", "text": text, "origin": "human"}] for text in texts]
    return pl.DataFrame(
        {**blank, "conversation_id": [f"r{number:05}" for number in range(len(texts))], "turns": turns}, schema=dict(SCRUBBED)
    )


def _cora() -> tuple[list[int], list[str], set[tuple[int, int]]]:
    frame = pl.read_csv(SHARED / "data/near_dup_records/cora.csv", separator="|", infer_schema=False, truncate_ragged_lines=True)
    order = ["author", "title", "venue", "publisher", "address", "editor", "note", "pages", "volume", "month", "year"]
    texts = frame.select(pl.concat_str(order, separator=" ", ignore_nulls=True)).to_series().to_list()
    with gzip.open(SHARED / "data/near_dup_records/cora_gt.csv.gz", "rt") as file:
        truth = _pairs(file)
    return [int(one) for one in frame["Entity Id"]], texts, truth


def _restaurants() -> tuple[list[int], list[str], set[tuple[int, int]]]:
    frame = pl.read_csv(
        SHARED / "data/near_dup_records/restaurants.csv", separator="|", infer_schema=False, truncate_ragged_lines=True
    )
    texts = frame.select(pl.concat_str(["name", "addr", "phone", "city", "type"], separator=" ", ignore_nulls=True)).to_series()
    with (SHARED / "data/near_dup_records/restaurants_gt.csv").open() as file:
        truth = _pairs(file)
    return [int(one) for one in frame["id"]], texts.to_list(), truth


def _pairs(lines: Iterable[str]) -> set[tuple[int, int]]:
    found = set()
    for line in lines:
        one, other = (int(part) for part in line.strip().split("|")[:2])
        if one != other:
            found.add((min(one, other), max(one, other)))
    return found


if __name__ == "__main__":
    main()
