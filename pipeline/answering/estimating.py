"""What requests would cost, before any is sent."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.answering.asking import ENCODING
from pipeline.answering.provider_params import Settings
from pipeline.answering.request import Request
from pipeline.answering.spending import MILLION
from pipeline.tokens import counter, tokens_of


@dataclass(frozen=True)
class Estimate:
    """What a run would ask a model, and cost, before anything is sent."""

    questions: int
    """Customers whom nobody answered."""

    requests: int
    """Requests whose replies are neither kept nor in a batch already, with those to the judge; a repaired reply is one more."""

    input_tokens: int
    """Tokens of the prompts, counted in o200k."""

    output_tokens: int
    """Tokens of the replies at most."""

    cost: float | None
    """At most, in the currency of the price table; None without a price for the model."""

    minutes: float | None
    """At the rate limits of params; None without limits."""


def add_up(questions: int, unsent: Sequence[Request], params: Settings) -> Estimate:
    """The estimate for requests that would be sent, with those to the judge about their answers."""
    count_tokens = counter(ENCODING)
    lengths = [tokens_of(len(r.messages), sum(count_tokens(m.content) for m in r.messages)) for r in unsent]
    loads = Counter({(request.model, "sent"): 0 for request in unsent})
    verdicts = 0.0
    for request, length in zip(unsent, lengths, strict=True):
        loads[request.model, "sent"] += length
        loads[request.model, "received"] += request.max_tokens * int(request.extra.get("n") or 1)
    if params.judge:
        # of each answer, which is shown to the judge with all that it rests on; none is known yet
        judge, share = params.judge.model or params.model.name, 1 + params.judge.swapped_share
        verdicts = share * len(unsent)
        loads[judge, "sent"] += math.ceil(share * sum(length + params.model.max_tokens for length in lengths))
        loads[judge, "received"] += math.ceil(verdicts * params.judge.max_tokens)
    sent, received = (sum(load for (_, way), load in loads.items() if way == each) for each in ("sent", "received"))
    requests = len(unsent) + math.ceil(verdicts)
    minutes = [requests / pace for pace in [params.pace.requests_per_minute] if pace]
    minutes += [(sent + received) / pace for pace in [params.pace.tokens_per_minute] if pace]
    return Estimate(questions, requests, sent, received, _cost(loads, params), round(max(minutes), 2) if minutes else None)


def _cost(loads: Mapping[tuple[str, str], int], params: Settings) -> float | None:
    prices = params.prices.models
    if any(model not in prices for model, _ in loads):
        return None
    per_million = {
        (model, way): price
        for model, each in prices.items()
        for way, price in (("sent", each.input_per_million), ("received", each.output_per_million))
    }
    share = params.prices.batch_share if params.mode == "batch" else 1
    return float(share * sum(load * per_million[key] for key, load in loads.items())) / MILLION
