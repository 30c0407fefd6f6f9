"""Resemblance by meaning beside resemblance by words, from an endpoint's embeddings; only where params name a model.

Words choose what is looked at: of every question the best of the lexical search are scored again, by a share of both. So
nothing is embedded that no question comes near, and the vectors of the whole corpus are never held.

A text is embedded in a request of its own, which is kept, paid, capped and paced like any other.
"""

from base64 import b64decode
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

from pipeline.answering.provider_params import EmbeddingParams
from pipeline.answering.request import EmbeddingRequest, Gap, Hit, Message, Reply
from pipeline.answering.retrieval import DECIMALS, Found
from pipeline.answering.sending import Dialogue, Fetch
from pipeline.errors import ProviderError

Rescore = Callable[[Sequence[str], Sequence[Found]], list[list[Hit]]]
"""All that was found for every question, scored again, best first."""


def rescorer(endpoint: str, params: EmbeddingParams, fetch: Fetch) -> Rescore:
    """Scores by words and by the meaning that the model at `endpoint` sees."""

    def embed(text: str) -> Dialogue[Any]:
        reply = yield EmbeddingRequest(endpoint, params.model, (Message("input", text),), None, 0)
        return reply if isinstance(reply, Gap) else _unit(reply)

    def rescore(questions: Sequence[str], found: Sequence[Found]) -> list[list[Hit]]:
        texts = sorted({*questions, *(_text(hit) for each in found for hit in chain(each.hits, each.others))})
        vectors = dict(zip(texts, fetch(embed(text) for text in texts), strict=True))
        missing = [each for each in vectors.values() if isinstance(each, Gap)]
        if missing:
            raise ProviderError(
                f"generate: {len(missing)} of {len(texts)} texts got no embedding ({missing[0].reason} {missing[0].detail}); "
                "run again, those so far are kept"
            )
        return [
            sorted(
                (_mixed(hit, float(vectors[question] @ vectors[_text(hit)]), params) for hit in chain(each.hits, each.others)),
                key=lambda hit: (-hit.score, hit.id),
            )
            for question, each in zip(questions, found, strict=True)
        ]

    return rescore


def _text(hit: Hit) -> str:
    return hit.question if hit.is_exchange else f"{hit.question}\n{hit.answer}"


def _mixed(hit: Hit, cosine: float, params: EmbeddingParams) -> Hit:
    score = (1 - params.weight) * hit.score + params.weight * min(max(cosine, 0.0), 1.0)
    return replace(hit, score=round(score, DECIMALS))


def _unit(reply: Reply) -> Any:
    import numpy as np  # noqa: PLC0415  # only where vectors are compared

    vector = np.frombuffer(b64decode(reply.choices[0].text), "<f4").astype(np.float64)
    length = np.sqrt(vector @ vector)
    return vector / length if length else vector
