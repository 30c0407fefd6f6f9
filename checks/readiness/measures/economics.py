"""M27 prompt economics, M28 job size. Tokens always; money only with the owner's own, dated prices."""

from typing import Final

import polars as pl

from checks.readiness.corpus import Corpus, draw
from checks.readiness.evidence import Evidence
from checks.readiness.measured import Measured, Reading, unknown
from checks.readiness.settings import Prices, ReadinessParams
from pipeline.tokens import count_tokens

MAX_COUNTED: Final = 5_000
"""Conversations whose turns are counted; of more a sample."""

DAYS_PER_MONTH: Final = 30.44


def read(corpus: Corpus, _evidence: Evidence, params: ReadinessParams) -> Reading:
    """What a request costs in tokens now and after tuning, and what training would take."""
    return Reading((*_prompts(corpus, params), *_job(corpus, params)), {"job": _job_table(corpus, params)})


def _prompts(corpus: Corpus, params: ReadinessParams) -> list[Measured]:
    now, tuned = (_tokens(text, params.encoding) for text in (params.system_prompt, params.tuned_prompt))
    money = ("cost_now", "cost_now_cached", "cost_tuned", "break_even_months", "break_even_months_cached")
    values = [Measured("M27", "tuned_prompt_tokens", tuned)]
    if params.system_prompt is None:
        values += unknown("M27", "the prompt in use today is not stated (readiness.system_prompt)", "prompt_tokens")
    else:
        values.append(Measured("M27", "prompt_tokens", now))
    requests = _requests(corpus, params)
    per_month = _per_month(corpus, params)
    values.append(per_month)
    if requests.is_empty():
        return [*values, *unknown("M27", "no answer to count", "input_tokens", "output_tokens", *money)]
    rest, output = (float(requests[name].sum()) / requests.height for name in ("before", "own"))
    values += [
        Measured("M27", "input_tokens", rest, n=requests.height),
        Measured("M27", "output_tokens", output, n=requests.height),
    ]
    if params.prices is None or params.system_prompt is None or per_month.value is None:
        why = "the owner's prices, with their date, and the prompt in use are not stated (readiness.prices)"
        return [*values, *unknown("M27", why, *money)]
    return [*values, *costs(params.prices, now, tuned, rest, output, per_month.value)]


def costs(prices: Prices, prefix: float, tuned_prefix: float, rest: float, output: float, requests: float) -> list[Measured]:
    """Per month, and the months until training pays; with and without caching, which takes most of the argument away."""
    cached = prefix * (1 - prices.cache_hit_rate * (1 - prices.cached_price_ratio))
    plain, with_cache = (
        requests * (prices.input_per_million * (share + rest) + prices.output_per_million * output) / 1e6
        for share in (prefix, cached)
    )
    tuned = requests * (prices.tuned_input_per_million * (tuned_prefix + rest) + prices.tuned_output_per_million * output) / 1e6
    tuned += prices.hosting_per_month + prices.upkeep_per_month
    values = [
        Measured("M27", "cost_now", plain),
        Measured("M27", "cost_now_cached", with_cache),
        Measured("M27", "cost_tuned", tuned),
    ]
    for name, before in (("break_even_months", plain), ("break_even_months_cached", with_cache)):
        if before > tuned:
            values.append(Measured("M27", name, prices.training / (before - tuned)))
        else:
            values += unknown("M27", "tuning never pays at these prices", name)
    return values


def _tokens(text: str | None, encoding: str) -> float:
    return float(count_tokens(pl.Series([text or ""]), encoding).sum())


def _requests(corpus: Corpus, params: ReadinessParams) -> pl.DataFrame:
    """One row per answer of a sample: tokens before it, its own."""
    ids = corpus.conversations["conversation_id"]
    chosen = pl.DataFrame({"conversation_id": ids, "draw": draw(ids, 0)}).sort("draw").head(MAX_COUNTED)["conversation_id"]
    turns = corpus.turns.filter(pl.col("conversation_id").is_in(chosen.implode()))
    counted = turns.with_columns(own=count_tokens(turns["text"], params.encoding))
    running = counted.with_columns(before=pl.col("own").cum_sum().over("conversation_id") - pl.col("own"))
    return running.filter(pl.col("speaker") == "agent").select("before", "own")


def _per_month(corpus: Corpus, params: ReadinessParams) -> Measured:
    if params.requests_per_month is not None:
        return Measured("M27", "requests_per_month", params.requests_per_month)
    seen = corpus.conversations if corpus.raw is None else corpus.raw
    dated = seen.drop_nulls("opened_at")
    if dated.height < 2:  # noqa: PLR2004  # a span has two ends
        return unknown("M27", "conversations are undated (readiness.requests_per_month)", "requests_per_month")[0]
    days = (dated["opened_at"].max() - dated["opened_at"].min()).total_seconds() / 86_400  # type: ignore[operator, union-attr]  # of a Datetime column
    if days < 1:
        return unknown("M27", "all conversations are of one day (readiness.requests_per_month)", "requests_per_month")[0]
    answers = float(dated["exchanges"].sum()) if "exchanges" in dated.columns else float(dated.height)
    return Measured("M27", "requests_per_month", answers / days * DAYS_PER_MONTH, n=dated.height)


def _trained(corpus: Corpus) -> pl.DataFrame:
    return corpus.conversations.filter(pl.col("split").is_null() | (pl.col("split") == "train")).drop_nulls("tokens")


def _job(corpus: Corpus, params: ReadinessParams) -> list[Measured]:
    trained = _trained(corpus)
    scale = corpus.exported / max(corpus.conversations.height, 1)
    tokens = float(trained["tokens"].clip(0, params.max_tokens).sum()) * scale
    slow, fast = params.tokens_per_gpu_hour
    return [
        Measured("M28", "train_tokens", float(round(tokens)), n=trained.height),
        Measured("M28", "job_tokens", float(round(tokens * params.epochs)), n=trained.height),
        Measured("M28", "gpu_hours_low", tokens * params.epochs / fast, n=trained.height),
        Measured("M28", "gpu_hours_high", tokens * params.epochs / slow, n=trained.height),
    ]


CONTEXTS: Final = (2_048, 4_096, 8_192, 16_385, 32_768, 65_536, 131_072)


def _job_table(corpus: Corpus, params: ReadinessParams) -> pl.DataFrame:
    """context, truncated (share of conversations), tokens that are trained: for the lengths that trainers offer."""
    tokens = _trained(corpus)["tokens"]
    rows = [
        {
            "context": size,
            "truncated": float((tokens > size).sum()) / max(len(tokens), 1),
            "trained_tokens": int(tokens.clip(0, size).sum()) * params.epochs,
        }
        for size in CONTEXTS
    ]
    return pl.DataFrame(rows, schema={"context": pl.Int64, "truncated": pl.Float64, "trained_tokens": pl.Int64})
