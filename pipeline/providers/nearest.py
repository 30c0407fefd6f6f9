"""The answer an agent gave to the most similar question. Offline; below the bound, nobody answers."""

from collections.abc import Iterable, Sequence
from typing import Final

from pipeline.answering.provider_params import Settings
from pipeline.answering.request import Answer, Answerer, Candidates, Gap, Question, Settle, Settled

NAME: Final = "nearest"
MODEL: Final = "tfidf-cosine"


def answerer(settings: Settings) -> Answerer:
    """Answers with the best hit, when it is similar enough; else the gap `unanswered`, detail the best similarity."""

    def answer(questions: Iterable[Question], settle: Settle) -> Sequence[Settled]:
        given = ((question, _answer(question, settings.nearest.min_similarity)) for question in questions)
        return [Settled(said) if isinstance(said, Gap) else settle(question, said) for question, said in given]

    return answer


def _answer(question: Question, min_similarity: float) -> Candidates | Gap:
    hits = [hit for hit in question.hits if hit.is_exchange]
    alike = [hit for hit in hits if hit.score >= min_similarity]
    if not alike:
        return Gap("unanswered", f"{hits[0].score:.2f}" if hits else "")
    return tuple(Answer(hit.answer, NAME, MODEL, None, (hit,)) for hit in alike)
