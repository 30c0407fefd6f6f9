"""Ask a model: compose the request for a question, read its reply, have it mended once, choose, have it judged."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from pipeline.answering.judging import judge, may_decide
from pipeline.answering.provider_params import PromptParams, Settings
from pipeline.answering.request import (
    Answer,
    Answerer,
    Candidates,
    Choice,
    Gap,
    Message,
    Question,
    Reply,
    Request,
    Settle,
    Settled,
    Turn,
)
from pipeline.answering.sending import Dialogue, Fetch
from pipeline.prompts import Prompt, load_prompt
from pipeline.tokens import counter

ROLES: Final = {"customer": "user", "agent": "assistant", "bot": "assistant"}

FAULTS: Final = {"length": "cut_off", "content_filter": "refused", "refusal": "refused"}
"""Why a reply is no answer, by its finish reason."""

ENCODING: Final = "o200k_base"

SCHEMA: Final = {
    "type": "json_schema",
    "json_schema": {
        "name": "answer",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {
                "answer": {"type": "string"},
                "needs_human": {"type": "boolean"},
                "cited_ids": {"type": "array", "items": {"type": "integer"}},
            },
            "required": ["answer", "needs_human", "cited_ids"],
            "additionalProperties": False,
        },
    },
}
"""OpenAI API reference, "Structured outputs" (read November 2026)."""

HAND_OVER: Final = "hand_over"
"""Stands for the model where the text comes from params."""


@dataclass(frozen=True)
class Unreadable:
    """A reply that is not the JSON it should be."""

    choice: Choice


def ask_each(provider: str, endpoint: str, settings: Settings, fetch: Fetch) -> Answerer:
    """An answerer that asks a model.

    Args:
        provider: name of the provider, recorded with every answer.
        endpoint: where requests go; part of the cache key.
        settings: prompt and model.
        fetch: gets the replies.
    """
    decides = may_decide(settings)

    def lead(question: Question, settle: Settle) -> Dialogue[Settled]:
        settled = yield from _answer(question, provider, endpoint, settings, settle)
        if settings.judge is None or not isinstance(settled.given, Answer) or settled.given.model == HAND_OVER:
            return settled
        return (yield from judge(question, settled, endpoint, settings, decides=decides))

    def answer(questions: Iterable[Question], settle: Settle) -> Sequence[Settled]:
        return fetch(lead(question, settle) for question in questions)

    return answer


def _answer(question: Question, provider: str, endpoint: str, settings: Settings, settle: Settle) -> Dialogue[Settled]:
    prompt = load_prompt(settings.prompt.name)
    if not question.hits and settings.prompt.without_grounding != "ask":
        return _settled(question, _ungrounded(provider, settings.prompt), settle)
    request = compose(question, prompt, endpoint, settings)
    read = _read((yield request), question, provider, prompt, settings)
    if isinstance(read, Unreadable):
        read = _read((yield _repair(request, read.choice)), question, provider, prompt, settings)
    return _settled(question, Gap("unreadable_reply") if isinstance(read, Unreadable) else read, settle)


def _settled(question: Question, read: Candidates | Gap, settle: Settle) -> Settled:
    return Settled(read) if isinstance(read, Gap) else settle(question, read)


def _ungrounded(provider: str, prompt: PromptParams) -> Candidates | Gap:
    if prompt.without_grounding == "leave":
        return Gap("ungrounded")
    return (Answer(prompt.hand_over_text, provider, HAND_OVER, None, ()),)


def compose(question: Question, prompt: Prompt, endpoint: str, settings: Settings) -> Request:
    """The request for one question: instructions and knowledge first, then the turns so far."""
    said = settings.prompt
    instructions = prompt.render(
        language=said.language or question.language,
        tone=said.tone,
        max_words=said.max_words,
        rules=said.rules,
        as_json=settings.model.output != "text",
        hits=question.hits,
        style=question.style,
    )
    messages = [Message("system", instructions)]
    for turn in shorten(question.turns, said.max_input_tokens):
        role = ROLES.get(turn.speaker, "user")
        text = turn.text if turn.speaker in ROLES else f"[{turn.speaker}] {turn.text}"
        if messages[-1].role == role:
            messages[-1] = Message(role, f"{messages[-1].content}\n\n{text}")
        else:
            messages.append(Message(role, text))
    model = settings.model
    extra: dict[str, Any] = dict(model.extra)
    if model.output == "json_schema":
        extra["response_format"] = SCHEMA
    if model.candidates > 1:
        extra["n"] = model.candidates
    return Request(
        endpoint, model.name, tuple(messages), model.temperature, model.max_tokens, model.length_field, model.seed, extra
    )


def shorten(turns: Sequence[Turn], max_tokens: int) -> Sequence[Turn]:
    """As many turns as fit: the first customer turn and the last run of customer turns first, then from the end backwards."""
    if sum(len(turn.text.encode("utf-8", "surrogatepass")) for turn in turns) <= max_tokens:  # no token is less than a byte
        return turns
    count = counter(ENCODING)
    lengths = [count(turn.text.encode("utf-8", "replace").decode()) for turn in turns]
    customers = [place for place, turn in enumerate(turns) if turn.speaker == "customer"]
    last_other = max(
        (place for place, turn in enumerate(turns) if turn.speaker != "customer" and place < customers[-1]), default=-1
    )
    stays = {customers[0], *(place for place in customers if place > last_other)}
    room = max_tokens - sum(lengths[place] for place in stays)
    for place in reversed(range(len(turns))):
        if place not in stays:
            if lengths[place] > room:
                break
            stays.add(place)
            room -= lengths[place]
    return [turn for place, turn in enumerate(turns) if place in stays]


def _repair(request: Request, bad: Choice) -> Request:
    more = (Message("assistant", bad.text or "…"), Message("user", load_prompt("repair").render()))
    return replace(request, messages=(*request.messages, *more))


def _read(
    reply: Reply | Gap, question: Question, provider: str, prompt: Prompt, settings: Settings
) -> Candidates | Gap | Unreadable:
    if isinstance(reply, Gap):
        return reply
    model = reply.model or settings.model.name
    read = [_read_choice(choice, model, question, provider, prompt, settings) for choice in reply.choices]
    if good := tuple(replace(each, without=reply.without) for each in read if isinstance(each, Answer)):
        return good
    return next((each for each in read if isinstance(each, Unreadable)), read[0])  # type: ignore[return-value]  # no Answer is left


def _read_choice(
    choice: Choice, model: str, question: Question, provider: str, prompt: Prompt, settings: Settings
) -> Answer | Gap | Unreadable:
    if fault := FAULTS.get(choice.finish_reason):
        return Gap(fault, choice.finish_reason)
    text, grounding = choice.text.strip(), question.hits
    if text and settings.model.output != "text":
        try:
            written = choice.read_json()
            text, needs_human, cited = written["answer"], written["needs_human"], written["cited_ids"]
            if not (isinstance(text, str) and isinstance(needs_human, bool) and all(type(each) is int for each in cited)):
                return Unreadable(choice)
        except (ValueError, TypeError, LookupError):
            return Unreadable(choice)
        if needs_human and settings.prompt.needs_human == "leave":
            return Gap("needs_human")
        if any(not 1 <= each <= len(question.hits) for each in cited):
            return Gap("unknown_citation", str(len(cited)))
        text, grounding = text.strip(), tuple(question.hits[each - 1] for each in dict.fromkeys(cited))
    return Answer(text, provider, model, prompt.version, grounding) if text else Gap("empty_reply")
