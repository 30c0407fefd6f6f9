"""What an endpoint that speaks chat completions says: a reply, or why there is none. Every make of it says so differently.

Read for it, November 2026: the references, sources and issues of OpenAI, Azure OpenAI, vLLM, llama.cpp, Ollama, LM Studio, TGI,
LiteLLM, OpenRouter, Mistral, DeepSeek, Gemini, Groq, mlx-lm, unsloth. Nothing here quotes what an endpoint says: its words may
hold the prompt.
"""

import re
import sys
import time
from array import array
from base64 import b64encode
from collections.abc import Collection, Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import orjson

from pipeline.answering.request import Choice, Reply, Request
from pipeline.errors import EndpointError, Overloaded, PromptTooLongError, ProviderError

OK: Final = 200

MISTAKES_OF_OURS: Final = frozenset({401, 402, 403, 404, 405, 407})
"""Statuses that every further request would get as well."""

BUSY: Final = frozenset({408, 409, 424, 425, 429, 498})
"""Besides those of RFC 9110: 424 is TGI's for a generation that failed, 498 Groq's for no capacity."""

THROTTLES: Final = frozenset({429, 503, 529})

REFUSALS_OF_A_FIELD: Final = frozenset({400, 404, 415, 422, 500, 501})
"""Statuses by which servers say that they do not know a field of the body (seen: 400 at OpenAI and vLLM, 404 at OpenRouter, 422
at Mistral and Together, 500 at llama.cpp, 501 at proxies)."""

FILTERED: Final = "content_filter"
NO_MORE_MONEY: Final = frozenset(
    (
        *("insufficient_quota", "billing_hard_limit_reached", "budget_exceeded"),
        *("exceeded_current_quota_error", "Arrearage", "insufficient_balance_error"),
    )
)
"""Codes and types in the body of an error. Azure OpenAI, "Content filtering" (read November 2026): a filtered prompt is a 400;
LiteLLM says with a 400 that a budget is used up, Alibaba that an account is; Moonshot and MiniMax with a 429."""

NO_CREDIT: Final = re.compile(rb"credit balance is too low|suspended due to insufficient balance|insufficient balance \(1008\)")
"""The same in the words of Anthropic, of Moonshot behind a gateway, and of MiniMax."""

NO_SUCH_PATH: Final = re.compile(rb"unexpected endpoint", re.IGNORECASE)
"""LM Studio says so with status 200."""

LENGTH_FIELDS: Final = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}

SYSTEM: Final = "system"
"""Stands among the fields for a first message of that role: some models know none, or want a user to speak first."""

DOUBTFUL: Final = ("response_format", "seed")
"""Fields that a refusal may be about without a word of them."""

SAID_OTHERWISE: Final = (*DOUBTFUL, "temperature", "n", SYSTEM, *LENGTH_FIELDS)
"""What a request can do without: the prompt asks for the same JSON in words; a seed, a temperature and a second candidate are how
a model draws and not what it is asked; the instructions can open the first message of the user; the length has two names."""

CALLED: Final = {
    "response_format": r"response_format|json_schema|schema|grammar|guided|structured",
    "n": r"n|(?i:only one completion choice)",
    SYSTEM: r"(?i:(?:system|developer) (?:role|message|prompt|instruction)s? (?:is |are )?not"
    r"|roles must alternate|only user and assistant)",
}
"""What an error calls a field, where that is not its name alone: in the words of llama.cpp, and of the chat templates of Gemma
and Mistral, which vLLM, TGI, llama.cpp and Gemini pass on."""

NO_ROOM: Final = (
    rb"context[ _]?(?:length|window|size)|maximum model length|max_seq_len|input is too large"
    rb"|`inputs` (?:tokens \+|must have less)|at least 1, got -"
)
TOO_LONG: Final = re.compile(
    rb"too (?:large|long)|too many (?:\w+ )?tokens|tokens?\b[^.]{0,80}\bexceed|exceed\w*\b[^.]{0,80}\b(?:tokens?|length)"
    rb"|reduce the length|" + NO_ROOM,
    re.IGNORECASE,
)
"""A prompt with no room for a reply, in the words of OpenAI, vLLM, SGLang, TGI, llama.cpp, LM Studio, TabbyAPI, Mistral, Gemini,
DeepSeek, Groq. They name the reply's bound beside it, which is known to them: under its other name some would ignore it, and
reply beyond what was reserved."""

TOO_LONG_BY: Final = {
    **dict.fromkeys((400, 413, 422), TOO_LONG),
    500: re.compile(NO_ROOM, re.IGNORECASE),
}
"""By what words a status says so; LM Studio has it in a 200 that is an error, old llama.cpp in a 500."""

BOUND_TOO_HIGH: Final = re.compile(
    rb"supports at most \d+ completion tokens|cannot be greater than max_model_len|(?<!\+ )`max_new_tokens` must be <=",
    re.IGNORECASE,
)
"""A reply may not be as long as params allow it, whatever the prompt, in the words of OpenAI, vLLM, TGI."""

NOTHING_LOADED: Final = re.compile(rb"no models? (?:is |are )?(?:currently )?loaded", re.IGNORECASE)
"""As LM Studio says it, with 400 or 404."""

FLAGGED: Final = re.compile(rb"input was flagged|flagged_input", re.IGNORECASE)
"""A question that OpenRouter's moderation turned away, with 403, which is otherwise a key that may not be used."""

NO_JSON: Final = "json_validate_failed"
"""Groq's 400 for a reply that is not the JSON which was asked for; it is there, as `failed_generation`."""

LONGEST_ERROR: Final = 10_000
"""Bytes of an error that are looked at."""

ENDS: Final = {
    **dict.fromkeys(("length", "max_tokens", "model_length", "model_context_window_exceeded"), "length"),
    **dict.fromkeys(("content_filter", "safety", "recitation", "prohibited_content", "blocklist", "spii"), FILTERED),
    **dict.fromkeys(("refusal", "content_filtered", "guardrail_intervened", "sensitive"), FILTERED),
}
"""Why a text ended, by the words of OpenAI, Anthropic, Mistral, Gemini, Bedrock and Zhipu; any other end is one of its own
accord."""

BROKEN_OFF: Final = frozenset({"error", "abort", "insufficient_system_resource", "network_error"})
"""Ends by a fault of the server, in the words of OpenRouter, vLLM, DeepSeek and Zhipu: what there is of the text is no answer."""

MOST_TOKENS: Final = 10**9
"""No prompt and no reply has more: a server that counts further has miscounted, and its account would not be ours."""

THOUGHT: Final = re.compile(
    r"\s*(?:<(?:think|thinking|thought|reasoning|seed:think)>|\[THINK\]|\u25c1think\u25b7|<\|(?:channel|START_THINKING)\|>)",
    re.IGNORECASE,
)
END_OF_THOUGHT: Final = re.compile(
    r"</(?:think|thinking|thought|reasoning|seed:think)>|\[/THINK\]|\u25c1/think\u25b7|<\|END_THINKING\|>(?:\s*<\|START_RESPONSE\|>)?"
    r"|<\|channel\|>final(?:\s*<\|constrain\|>\w+)?<\|message\|>",
    re.IGNORECASE,
)
"""Models that think aloud do so before the answer, when nobody has taken their thoughts away; some leave the first mark out. The
channels are those of gpt-oss (OpenAI, "Harmony response format"), the rest of Qwen, DeepSeek, Mistral, Seed, Kimi and Command."""

END_OF_MESSAGE: Final = re.compile(
    r"<\|(?:im_end|eot_id|eom_id|end|return|endoftext|end_of_text|END_RESPONSE|END_OF_TURN_TOKEN)\|>|<end_of_turn>"
    r"|<\uff5cend\u2581of\u2581sentence\uff5c>"
)
"""Marks that end a message in the templates of open models. Some servers leave them in the text; what comes after the first is a
conversation that the model went on to make up."""

END_OF_TEXT: Final = re.compile(r"(?:(?:</s>|<eos>)\s*)+\Z")
"""The same, which may also be words of the text."""

BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


def true_status(status: int, content: bytes) -> int:
    """The status that an answer has by its content: some gateways wrap an error into a 200."""
    if status != OK or b'"error"' not in content:
        return status
    said = _parsed(content)
    if not isinstance(said, dict) or said.get("choices") or said.get("data"):
        return status
    error = said if said.get("object") == "error" else said.get("error")  # the former as vLLM and FastChat have it
    if not error:
        return status
    if NO_SUCH_PATH.search(content[:LONGEST_ERROR]):
        return 404
    code = str(error.get("code")) if isinstance(error, dict) else ""
    return int(code) if code.isdecimal() and 400 <= int(code) < 600 else 500  # noqa: PLR2004  # RFC 9110: errors


def whole(content: bytes) -> bytes:
    """The completion that was sent in pieces, as server-sent events, though nobody asked for that; anything else as it is.

    Source: WHATWG HTML, "Server-sent events"; OpenAI API reference, "Streaming" (read November 2026).
    """
    content = content.removeprefix(BYTE_ORDER_MARK)
    if not content.lstrip().startswith((b"data:", b"event:", b":")):
        return content
    choices: dict[int, dict[str, Any]] = {}
    said: dict[str, Any] = {}
    is_ended = False
    try:
        for line in content.splitlines():
            event = line.removeprefix(b"data:").strip() if line.startswith(b"data:") else b""
            if event in {b"", b"[DONE]"}:
                is_ended |= event != b""
                continue
            piece = orjson.loads(event)
            if piece.get("error"):
                return event
            said |= {name: piece[name] for name in ("model", "usage") if piece.get(name)}
            for choice in piece.get("choices") or ():
                so_far = choices.setdefault(int(choice.get("index") or 0), {"message": {"content": ""}})
                new = choice.get("delta") or choice.get("message") or {}
                so_far["message"]["content"] += _text(new.get("content"))
                so_far["message"]["refusal"] = new.get("refusal") or so_far["message"].get("refusal")
                so_far["finish_reason"] = choice.get("finish_reason") or so_far.get("finish_reason")
    except (ValueError, TypeError, AttributeError):
        return content
    if not is_ended and not all(choice["finish_reason"] for choice in choices.values()):
        return content  # it broke off
    return orjson.dumps({**said, "choices": [choices[number] for number in sorted(choices)]})


def fields(body: Mapping[str, Any]) -> frozenset[str]:
    """What an endpoint may refuse of a request."""
    has_system = body.get("messages", [{}])[0].get("role") == SYSTEM
    return frozenset((*body, SYSTEM) if has_system else body)


def unwanted(status: int, content: bytes, sent: Collection[str], taken: Collection[str]) -> set[str]:
    """Fields that a request had better be sent again without: those an error names, else the likeliest one.

    `sent`: fields of the body; `taken`: those that the endpoint took at least once: no error without their name is about them.
    """
    if not _may_be_of_a_field(status, content):
        return set()
    if named := {field for field in SAID_OTHERWISE if field in sent and _names(content, field)}:
        return named
    doubtful = [field for field in DOUBTFUL if field in sent and field not in taken]
    return set(doubtful[:1]) if status != 500 else set()  # noqa: PLR2004  # without a word of a field it is one that passes


def _may_be_of_a_field(status: int, content: bytes) -> bool:
    if status not in REFUSALS_OF_A_FIELD or _codes(content) & {FILTERED, NO_JSON, *NO_MORE_MONEY}:
        return False
    return not any(words.search(content[:LONGEST_ERROR]) for words in (BOUND_TOO_HIGH, TOO_LONG_BY.get(status, TOO_LONG)))


def refused_for_good(status: int, content: bytes) -> str | None:
    """The field by whose name an error refuses a request that nobody sends again in another form."""
    if not _may_be_of_a_field(status, content):
        return None
    return next((field for field in SAID_OTHERWISE if _names(content, field)), None)


def without(body: Mapping[str, Any], refused: Collection[str]) -> dict[str, Any]:
    """A body that asks for the same without these fields."""
    kept = {name: value for name, value in body.items() if name not in refused}
    if SYSTEM in refused:
        kept["messages"] = _opened_by_a_user(body["messages"])
    return kept | {LENGTH_FIELDS[name]: body[name] for name in refused if name in LENGTH_FIELDS}


def _opened_by_a_user(messages: Sequence[Mapping[str, str]]) -> list[Mapping[str, str]]:
    instructions, *rest = (message["content"] for message in messages)
    if messages[1]["role"] == "user":
        return [{"role": "user", "content": f"{instructions}\n\n{rest[0]}"}, *messages[2:]]
    return [{"role": "user", "content": instructions}, *messages[1:]]


def _names(content: bytes, field: str) -> bool:
    words = content[:LONGEST_ERROR].decode("utf-8", "replace").replace(r"\n", " ")  # an escaped line break is no field n
    return re.search(rf"(?<![^\W_])(?:{CALLED.get(field, re.escape(field))})(?![^\W_])", words) is not None


def not_a_reply(
    status: int, headers: Mapping[str, str], content: bytes, request: Request, taken: Collection[str]
) -> ProviderError | Reply:
    """What a status other than 200 means; a prompt that was filtered is a reply of its own."""
    codes = _codes(content)
    if FILTERED in codes or (status == 403 and FLAGGED.search(content[:LONGEST_ERROR])):  # noqa: PLR2004  # RFC 9110: forbidden
        return Reply((Choice("", FILTERED),), request.model, 0, 0)  # it does not say what it cost: the worst
    if NO_JSON in codes:
        return Reply((Choice(str(_parsed(content)["error"].get("failed_generation") or ""), "stop"),), request.model, 0, 0)
    mistake = _mistake(status, headers, codes, content, request, taken)
    if mistake is not None:
        return EndpointError(f"answered {status}{mistake}")
    if status in TOO_LONG_BY and TOO_LONG_BY[status].search(content[:LONGEST_ERROR]):
        return PromptTooLongError(str(status))
    if status in BUSY or status >= 500:  # noqa: PLR2004  # RFC 9110 section 15.6: the server's fault
        return Overloaded(str(status), _seconds(headers), is_throttle=status in THROTTLES)
    return ProviderError(str(status))


def _redirected(location: str, base_url: str) -> str:
    """Where to, as far as it helps; the address itself is what the endpoint says."""
    ours = urlsplit(base_url)
    try:
        target = urlsplit(urljoin(base_url, location))
        host = target.hostname
    except ValueError:
        return "no address"
    if not location or host != ours.hostname:
        return "another host" if location else "no address"
    return "https on the same host" if (ours.scheme, target.scheme) == ("http", "https") else "another path or port of its host"


def _mistake(
    status: int, headers: Mapping[str, str], codes: Collection[str], content: bytes, request: Request, taken: Collection[str]
) -> str | None:
    """Why every further request would fail as well; None: it need not."""
    if NO_MORE_MONEY.intersection(codes) or NO_CREDIT.search(content[:LONGEST_ERROR]):
        return ": the account there is used up"
    if 300 <= status < 400:  # noqa: PLR2004  # RFC 9110 section 15.4
        where = _redirected(headers.get("location", ""), request.endpoint)
        return f": it redirects to {where}, and only the address in params is allowed"
    said = _mistake_of_params(codes, content, request, taken) if status in {400, 404, 422} else None
    return said or ("" if status in MISTAKES_OF_OURS else None)


def _mistake_of_params(codes: Collection[str], content: bytes, request: Request, taken: Collection[str]) -> str | None:
    if BOUND_TOO_HIGH.search(content[:LONGEST_ERROR]):
        return f": a reply of up to {request.max_tokens} tokens is more than it allows"
    if taken:  # then the rest is about the question
        return None
    if NOTHING_LOADED.search(content[:LONGEST_ERROR]):
        return ": it has loaded no model"
    if "model_not_found" in codes or _names(content, request.model):
        return f": it has no model {request.model!r}"
    named = sorted(field for field in request.extra.keys() - {*SAID_OTHERWISE} if _names(content, field))
    return f": it does not take the field {named[0]!r}" if named else None


def _codes(content: bytes) -> frozenset[str]:
    """What an error calls itself, by code and type, when it has OpenAI's shape."""
    said = _parsed(content)
    error = said.get("error") if isinstance(said, dict) else None
    return frozenset(str(error.get(name)) for name in ("code", "type")) if isinstance(error, dict) else frozenset()


def _parsed(content: bytes) -> Any:
    try:
        return orjson.loads(content)
    except ValueError:
        return None


def _seconds(headers: Mapping[str, str]) -> float | None:
    """How long an endpoint asks to wait: milliseconds as Azure says it, else Retry-After (RFC 9110 section 10.2.3)."""
    for name, per_second in (("retry-after-ms", 1000), ("retry-after", 1)):
        said = headers.get(name, "")
        try:
            return max(0.0, float(said) / per_second)
        except ValueError:
            continue
    try:
        return max(0.0, parsedate_to_datetime(said).timestamp() - time.time())
    except ValueError:
        return None


def read_completion(content: bytes) -> Reply:
    """The reply in the body of a chat completion.

    Raises:
        Overloaded: there is none in it.
    """
    try:
        completion = orjson.loads(content)
        if completion.get("choices") is None and isinstance(completion.get("provider"), dict):
            completion = completion["provider"]  # OpenRouter, now and then (pydantic-ai issue 3994)
        choices = tuple(_choice(choice) for choice in completion["choices"]) or _none_given()
        usage = completion.get("usage")
        sent, received = _used(usage if isinstance(usage, dict) else {}, choices)
        return Reply(choices, str(completion.get("model") or ""), sent, received)
    except (ValueError, TypeError, LookupError, AttributeError):
        raise Overloaded("no_completion", may_be_billed=True) from None  # the cause quotes the reply


def _used(usage: Mapping[str, Any], choices: tuple[Choice, ...]) -> tuple[int, int]:
    """Tokens of prompt and reply; both 0 where either is not known, which is booked at the worst."""
    sent = _count(usage.get("prompt_tokens"))
    received = _count(usage.get("completion_tokens")) or max(0, _count(usage.get("total_tokens")) - sent)
    return (sent, received) if received or not any(choice.text for choice in choices) else (0, 0)


def _count(said: Any) -> int:
    try:
        number = int(said or 0)
    except (ValueError, TypeError):
        return 0
    return number if 0 <= number <= MOST_TOKENS else 0


def read_vector(content: bytes) -> Reply:
    """The reply in the body of an embedding.

    Raises:
        Overloaded: there is none in it.
    """
    try:
        answer = orjson.loads(content)
        vector = array("f", answer["data"][0]["embedding"])
        if sys.byteorder == "big":
            vector.byteswap()
        used = _count((answer.get("usage") or {}).get("prompt_tokens"))
        return Reply((Choice(b64encode(vector.tobytes()).decode(), "stop"),), str(answer.get("model") or ""), used, 0)
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError):
        raise Overloaded("no_embedding", may_be_billed=True) from None  # the cause quotes the reply


def _choice(choice: dict[str, Any]) -> Choice:
    # the text beside no message is how completions that are no chat have it
    message = choice["message"] if "message" in choice else {"content": choice["text"]}
    said = str(choice.get("finish_reason") or "stop")
    if said in BROKEN_OFF or choice.get("error"):  # the latter as OpenRouter has it
        raise LookupError
    finish_reason = "refusal" if message.get("refusal") else ENDS.get(said.lower(), "stop")
    text = _text(message.get("content"))
    *_, answer = END_OF_THOUGHT.split(text)
    if answer == text and THOUGHT.match(text):
        return Choice("", "length")  # it never came to an end with thinking
    return Choice(END_OF_TEXT.sub("", END_OF_MESSAGE.split(answer, maxsplit=1)[0]), finish_reason)


def _text(content: Any) -> str:
    """A message's text; some servers give it in pieces, thoughts and other things among them."""
    if isinstance(content, list):
        pieces = [{"text": piece} if isinstance(piece, str) else piece for piece in content]
        return "".join(str(piece.get("text") or "") for piece in pieces if piece.get("type", "text") in {"text", "output_text"})
    if content is not None and not isinstance(content, str):
        raise TypeError
    return content or ""


def _none_given() -> tuple[Choice, ...]:
    raise LookupError
