"""The answer an agent gave to the most similar question. Offline; below the bound, nobody answers."""

from collections.abc import Sequence
from typing import Final

from pipeline.providers.settings import Settings
from pipeline.request import Answer, Answerer, Gap, Question

NAME: Final = "nearest"
MODEL: Final = "tfidf-cosine"


def answerer(settings: Settings) -> Answerer:
    """Answers with the best hit, when it is similar enough; else the gap `unanswered`, detail the best similarity."""

    def answer(questions: Sequence[Question]) -> Sequence[Answer | Gap]:
        return [_answer(question, settings.nearest.min_similarity) for question in questions]

    return answer


def _answer(question: Question, min_similarity: float) -> Answer | Gap:
    if not question.hits or question.hits[0].score < min_similarity:
        return Gap("unanswered", f"{question.hits[0].score:.2f}" if question.hits else "")
    best = question.hits[0]
    return Answer(best.answer, NAME, MODEL, None, (best,))
