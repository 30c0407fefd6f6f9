"""Who writes to Harbour & Pine, how they type, and what is said: conversations before they take the shape of an export."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, Final

import yaml

PHRASES: Final = yaml.safe_load(Path(__file__).with_name("sample_phrases.yaml").read_text("utf-8"))
WORLD: Final = yaml.safe_load(Path(__file__).with_name("sample_world.yaml").read_text("utf-8"))

DESK, CHAT, FAQ = "harbour_desk", "harbour_chat", "harbour_faq"
CONVERSATIONS: Final = {DESK: 185, CHAT: 270, FAQ: 250}
CUSTOMERS: Final = 300
FIRST_DAY: Final = datetime(2026, 1, 5, 7, tzinfo=UTC)
DAYS: Final = 85

UNANSWERED: Final = 0.12
"""Share of conversations in which nobody answered the customer."""

NEAR_COPIES, EXACT_COPIES, REPEATED_TICKETS, PLACEHOLDERS = 18, 10, 6, 20
LONG_ENOUGH: Final = 38
"""Words; from here on one more word at either end leaves a Jaccard similarity of 0.94 or more."""

LANGUAGES: Final = {"en": 0.80, "de": 0.09, "es": 0.055, "fr": 0.055}
AGENTS: Final = [tuple(name.split()) for name in WORLD["agents"]]
AREAS: Final = (206, 212, 303, 415, 503, 617, 646, 702, 808, 919)
NETS: Final = ("192.0.2", "198.51.100", "203.0.113")
WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
WEEKDAYS_DE: Final = ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag")
SHORTEST_MISTYPED: Final = 5
ANSWERS: Final = {"answer": "ask", "reply": "more"}
"""Parts whose lines answer those of another part, one by one."""

EMOJI: Final = ("🙂", "😡", "🏕️", "🙏", "👍", "😢", "⛺")
UNFILLED: Final = (
    "You can follow it under {{Order Number}} in your account.",
    "For anything else ring {{Customer Support Phone Number}} between nine and five.",
    "Please open {{Online Order Interaction}} and choose the item.",
    "Write to us at {{Company Mail}} with the date of the order.",
)


@dataclass(frozen=True)
class Person:
    """An invented customer."""

    number: int
    language: str
    first: str
    last: str
    email: str
    phone: str
    street: str
    postcode: str
    town: str
    born: date
    login: str
    ip: str

    @property
    def full(self) -> str:
        """First and last name."""
        return f"{self.first} {self.last}"


@dataclass(frozen=True)
class Fact:
    """What a slot of a phrase is filled with, and the personal values in it: (kind, value)."""

    text: str
    values: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Voice:
    """How somebody types."""

    is_lower: bool = False
    typos: int = 0
    emoji: str = ""


@dataclass(frozen=True)
class Turn:
    """One message; `is_private` marks a note among agents, which must never become a turn."""

    speaker: str
    text: str
    is_private: bool = False


@dataclass(frozen=True)
class Conversation:
    """What was said, before it takes the shape of a source."""

    source: str
    native_id: str
    opened: datetime
    customer: Person
    agent: int
    topic: str
    product: str
    order: str
    turns: Sequence[Turn]
    values: frozenset[tuple[str, str]]
    """Every personal value the export holds for it, in texts or beside them: (kind, value), as it is written there
    but for lower case, mojibake and HTML entities, which are put on afterwards."""

    is_answered: bool
    has_thanks_last: bool = False
    has_placeholder: bool = False
    copy_of: str | None = None
    copy_kind: str | None = None


def chance(draw: Random, share: float) -> bool:
    """True in this share of draws."""
    return draw.random() < share


def make_people(draw: Random) -> list[Person]:
    """The customers; several share a first name, the first two always do."""
    people: list[Person] = []
    names: set[tuple[str, str]] = set()
    languages = draw.choices(list(LANGUAGES), list(LANGUAGES.values()), k=CUSTOMERS)
    languages[:2] = ["en", "en"]
    while len(people) < CUSTOMERS:
        number = len(people)
        language = languages[number]
        first = people[0].first if number == 1 else draw.choice(WORLD["first_names"][language])
        last = draw.choice(WORLD["last_names"][language])
        if (first, last) in names:
            continue
        names.add((first, last))
        people.append(_make_person(number, language, first, last, draw))
    return people


def _make_person(number: int, language: str, first: str, last: str, draw: Random) -> Person:
    latin = _to_ascii(first), _to_ascii(last)
    local = draw.choice(("{0}.{1}", "{0}{1}", "{1}.{0}", "{0}_{1}{2}", "{0[0]}.{1}{2}")).format(*latin, draw.randint(2, 89))
    area, line = draw.choice(AREAS), draw.randint(100, 199)
    phone = draw.choice(("+1 {0}-555-0{1}", "{0} 555 0{1}", "({0}) 555-0{1}", "{0}-555-0{1}", "+1 ({0}) 555 0{1}"))
    house = draw.randint(2, 148)
    street = draw.choice(WORLD["streets"][language])
    letters = "BDFGHJKLMNPRSTVWXYZ"
    postcode = {
        "en": f"{draw.choice(letters)}{draw.choice(letters)}{draw.randint(1, 19)} {draw.randint(1, 9)}{draw.choice(letters)}"
        f"{draw.choice(letters)}",
        "de": f"{draw.randint(10200, 98900)}",
        "es": f"{draw.randint(11100, 49900)}",
        "fr": f"{draw.randint(11100, 94900)}",
    }[language]
    return Person(
        number=number,
        language=language,
        first=first,
        last=last,
        email=f"{local}@{draw.choice(('example.com', 'example.org', 'example.net', 'mail.example.com'))}",
        phone=phone.format(area, line),
        street={"de": f"{street} {house}", "es": f"{street} {house}"}.get(language, f"{house} {street}"),
        postcode=postcode,
        town=draw.choice(WORLD["towns"][language]),
        born=date(draw.randint(1948, 2005), draw.randint(1, 12), draw.randint(1, 28)),
        login=f"{latin[0][:4]}{draw.choice(('trail', 'hiker', 'sail', 'peak', 'moss'))}{draw.randint(10, 99)}",
        ip=f"{draw.choice(NETS)}.{draw.randint(1, 254)}",
    )


def _to_ascii(name: str) -> str:
    plain = name.lower().translate(str.maketrans("äöüßáàéèëêíìîïóòôúùñçøćńśźżúï", "aousaaeeeeiiiiooouuncocnszzui"))
    return re.sub(r"[^a-z]", "", plain)


def make_voice(draw: Random) -> Voice:
    """How one customer types in one conversation."""
    return Voice(
        is_lower=chance(draw, 0.22),
        typos=draw.choice((0, 0, 0, 1, 1, 2, 3)),
        emoji=draw.choice(EMOJI) if chance(draw, 0.12) else "",
    )


CAREFUL: Final = Voice()


class Scene:
    """One conversation in the making: fills phrases with its facts and notes which personal values were said."""

    def __init__(self, customer: Person, agent: int, people: Sequence[Person], draw: Random) -> None:
        """Draw the facts of the conversation."""
        self.draw, self.language = draw, customer.language
        self.common: Mapping[str, Any] = PHRASES[customer.language]
        self.topic = draw.choice(list(self.common["topics"]))
        self.product = draw.choice(WORLD["products_of"].get(self.topic, WORLD["products"]))
        self.order = f"HP-{draw.randint(100200, 998900)}"
        self.values: set[tuple[str, str]] = set()
        self._said: dict[str, int] = {}
        self.facts = self._draw_facts(customer, AGENTS[agent], draw.choice(people))

    def _draw_facts(self, customer: Person, agent: tuple[str, str], other: Person) -> dict[str, Fact]:
        draw = self.draw
        born = customer.born.strftime({"en": draw.choice(("%d/%m/%Y", "%Y-%m-%d", "%d %B %Y"))}.get(self.language, "%d.%m.%Y"))
        password = (
            f"{draw.choice(('tide', 'fjord', 'anorak', 'kelp'))}{draw.choice(('Pool', 'Wren', '_Loch'))}{draw.randint(11, 99)}"
        )
        key = f"hpk_example_{draw.getrandbits(96):024x}"
        voucher = "-".join("".join(draw.choices("ACDEFHJKLMNPQRTUVWXY34679", k=4)) for _ in range(3))
        second = f"{_to_ascii(customer.last)}.{draw.choice(('home', 'new', 'family', 'post'))}{draw.randint(1, 9)}@example.net"
        card, iban = draw.choice(WORLD["cards"]), draw.choice(WORLD["ibans"][self.language])
        day = draw.randrange(len(WEEKDAYS))
        return {
            "first": Fact(customer.first, (("PERSON", customer.first),)),
            "last": Fact(customer.last, (("PERSON", customer.last),)),
            "full": Fact(customer.full, (("PERSON", customer.first), ("PERSON", customer.last))),
            "other": Fact(other.first, (("PERSON", other.first),)),
            "agent": Fact(agent[0], (("PERSON", agent[0]),)),
            "email": Fact(customer.email, (("EMAIL_ADDRESS", customer.email),)),
            "email2": Fact(second, (("EMAIL_ADDRESS", second),)),
            "phone": Fact(customer.phone, (("PHONE_NUMBER", customer.phone),)),
            "address": Fact(
                f"{customer.street}, {customer.postcode} {customer.town}"
                if self.language != "en"
                else f"{customer.street}, {customer.town} {customer.postcode}",
                (
                    ("STREET_ADDRESS", customer.street),
                    ("STREET_ADDRESS", customer.postcode),
                    ("LOCATION", customer.town),
                ),
            ),
            "dob": Fact(born, (("DATE_OF_BIRTH", born),)),
            "card": Fact(card, (("CREDIT_CARD", card),)),
            "iban": Fact(iban, (("IBAN_CODE", iban),)),
            "password": Fact(password, (("PASSWORD", password),)),
            "api_key": Fact(key, (("API_KEY", key),)),
            "ip": Fact(customer.ip, (("IP_ADDRESS", customer.ip),)),
            "user": Fact(customer.login, (("USER_NAME", customer.login),)),
            "order": Fact(self.order, (("ORDER_NUMBER", self.order),)),
            "code": Fact(voucher, (("VOUCHER_CODE", voucher),)),
            "product": Fact(self.product),
            "size": Fact(str(draw.randint(37, 47))),
            "days": Fact(str(draw.randint(2, 14))),
            "amount": Fact(
                f"{'£' if self.language == 'en' else '€'}{draw.randint(9, 340)}.{draw.choice(('00', '50', '90', '95'))}"
            ),
            "weekday": Fact(WEEKDAYS[day]),
            "weekday_de": Fact(WEEKDAYS_DE[day]),
            "carrier": Fact(draw.choice(WORLD["carriers"])),
            "city": Fact(draw.choice(WORLD["shops"])),
        }

    def say(self, part: str, voice: Voice = CAREFUL) -> str:
        """One sentence of a part of the conversation; those of the topic come before the common ones."""
        text: str = self.common["topics"][self.topic].get(part) or self.common[part]
        lines = text.strip().split("\n")
        number = self._said.get(ANSWERS.get(part, ""), len(lines))
        if number >= len(lines):
            number = self.draw.randrange(len(lines))
        self._said[part] = number
        return self.fill(lines[number], voice)

    def fill(self, phrase: str, voice: Voice = CAREFUL) -> str:
        """Choose among the alternatives of a phrase and fill its slots, in somebody's voice."""
        chosen = re.sub(r"\[([^\]]*)\]", lambda match: self.draw.choice(match[1].split("|")), phrase)
        pieces = re.split(r"\{(\w+)\}", chosen)
        spoken = []
        for number, piece in enumerate(pieces):
            if number % 2:
                fact = self.facts[piece]
                self.values.update(fact.values)
                is_named = any(kind == "PERSON" for kind, _ in fact.values)
                spoken.append(fact.text.lower() if voice.is_lower and is_named else fact.text)
            else:
                spoken.append(self._in_voice(piece, voice))
        return "".join(spoken)

    def _in_voice(self, piece: str, voice: Voice) -> str:
        words = piece.split(" ")
        for _ in range(voice.typos if chance(self.draw, 0.25) else 0):
            number = self.draw.randrange(len(words))
            if len(words[number]) >= SHORTEST_MISTYPED and words[number].isalpha():
                words[number] = _mistype(words[number], self.draw)
        text = " ".join(words)
        return text.lower() if voice.is_lower else text


def _mistype(word: str, draw: Random) -> str:
    at = draw.randrange(1, len(word) - 2)
    return draw.choice(
        (
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
            word[:at] + word[at + 1 :],
            word[:at] + word[at] + word[at:],
        )
    )


def write_ticket(scene: Scene, is_answered: bool) -> list[Turn]:
    """A ticket: mails with greeting and signature, sometimes a note among agents."""
    draw, voice = scene.draw, make_voice(scene.draw)
    opening = [scene.say("hello", voice), _mail_body(scene, voice), f"{scene.say('bye', voice)}\n{scene.say('sign', voice)}"]
    turns = [Turn("customer", "\n\n".join(opening))]
    if chance(draw, 0.3):
        turns.append(Turn("agent", scene.say("note"), is_private=True))
    if not is_answered:
        if chance(draw, 0.4):
            turns.append(Turn("customer", scene.say("chase", voice)))
        return turns
    sorry = [scene.say("agent_sorry")] if chance(draw, 0.5) else []
    answer = " ".join([*sorry, scene.say("answer"), scene.say("step")])
    turns.append(Turn("agent", "\n\n".join([scene.say("agent_hello"), answer, scene.say("agent_bye")])))
    if chance(draw, 0.45):
        turns.append(Turn("customer", f"{scene.say('more', voice)}\n\n{scene.say('sign', voice)}"))
        turns.append(Turn("agent", f"{scene.say('reply')}\n\n{scene.say('agent_bye')}"))
    if chance(draw, 0.15):
        turns.append(Turn("customer", scene.say("thanks", voice)))
    return turns


def _mail_body(scene: Scene, voice: Voice) -> str:
    parts = [scene.say("ask", voice), scene.say("detail", voice)]
    if chance(scene.draw, 0.6):
        parts.insert(scene.draw.choice((0, 1, 2)), scene.say("identify", voice))
    text = " ".join(parts)
    return f"{text} {voice.emoji}" if voice.emoji else text


def write_chat(scene: Scene, is_answered: bool) -> list[Turn]:
    """A chat: short messages, several in a row, a bot that asks for the name, then perhaps a person."""
    draw, voice = scene.draw, make_voice(scene.draw)
    turns = _chat_opening(scene, voice)
    if is_answered:
        return [*turns, *_chat_answer(scene, voice)]
    if turns[-1].speaker == "bot" or chance(draw, 0.4):
        turns.append(Turn("customer", scene.say("chase", voice)))
    return turns


def _chat_opening(scene: Scene, voice: Voice) -> list[Turn]:
    draw = scene.draw
    turns = [Turn("bot", scene.say("bot_hello"))] if chance(draw, 0.6) else []
    if chance(draw, 0.4):
        turns.append(Turn("customer", scene.say("hello", voice).rstrip(",:")))
    turns.append(Turn("customer", scene.say("ask", voice)))
    if chance(draw, 0.7):
        turns.append(Turn("customer", scene.say("detail", voice)))
    if voice.emoji:
        turns.append(Turn("customer", voice.emoji))
    return [*turns, *(_identification(scene, voice) if chance(draw, 0.55) else [])]


def _chat_answer(scene: Scene, voice: Voice) -> list[Turn]:
    draw = scene.draw
    turns = [Turn("agent", scene.say("agent_hello").rstrip(","))]
    if chance(draw, 0.35):
        turns.append(Turn("agent", scene.say("agent_sorry")))
    turns.append(Turn("agent", f"{scene.say('answer')} {scene.say('step')}"))
    if chance(draw, 0.18):
        turns.append(Turn("agent", scene.say("note"), is_private=True))
    if chance(draw, 0.6):
        turns += [Turn("customer", scene.say("more", voice)), Turn("agent", scene.say("reply"))]
    if chance(draw, 0.55):
        turns.append(Turn("customer", scene.say("thanks", voice)))
        if chance(draw, 0.65):
            turns.append(Turn("agent", scene.say("agent_last")))
    return turns


def _identification(scene: Scene, voice: Voice) -> list[Turn]:
    turns = [Turn("bot", scene.say("bot_ask_name")), Turn("customer", scene.say("name_alone", voice))]
    match scene.draw.randrange(4):
        case 0:
            turns += [Turn("bot", scene.say("bot_ask_order")), Turn("customer", scene.fill("{order}"))]
        case 1:
            turns += [Turn("bot", scene.say("bot_ask_email")), Turn("customer", scene.fill("{email}"))]
        case 2:
            turns.append(Turn("customer", scene.say("identify", voice)))
    if chance(scene.draw, 0.7):
        turns.append(Turn("bot", scene.say("bot_hand_over")))
    return turns


def write_question(scene: Scene, is_answered: bool) -> list[Turn]:
    """A question from the web form and, mostly, the answer that was published."""
    voice = make_voice(scene.draw)
    asked, answered = ["ask", "detail"], ["answer", "step"]
    if chance(scene.draw, 0.35):
        asked, answered = [*asked, "more"], [*answered, "reply"]
    if chance(scene.draw, 0.12):
        asked.append("sign")
    turns = [Turn("customer", " ".join(scene.say(part, voice) for part in asked))]
    if is_answered:
        turns.append(Turn("agent", " ".join(scene.say(part) for part in answered)))
    return turns


WRITERS: Final = {DESK: write_ticket, CHAT: write_chat, FAQ: write_question}


def write_conversations(draw: Random) -> list[Conversation]:
    """All sound conversations, without those that were never typed (silent chats) or cannot be read (bad rows)."""
    people = make_people(draw)
    returning = [1 / (rank + 6) for rank in range(len(people))]  # a few write often, most once
    written: list[Conversation] = []
    for source, count in CONVERSATIONS.items():
        times = sorted(_draw_time(draw) for _ in range(count))
        for number, opened in enumerate(times):
            customer, agent = draw.choices(people, returning)[0], draw.randrange(len(AGENTS))
            scene = Scene(customer, agent, people, draw)
            is_answered = not chance(draw, UNANSWERED)
            turns = WRITERS[source](scene, is_answered)
            spoken = [turn for turn in turns if not turn.is_private]
            written.append(
                Conversation(
                    source=source,
                    native_id=_native_id(source, number, draw),
                    opened=opened,
                    customer=customer,
                    agent=agent,
                    topic=scene.topic,
                    product=scene.product,
                    order=scene.order,
                    turns=turns,
                    values=frozenset(scene.values),
                    is_answered=is_answered,
                    has_thanks_last=is_answered and spoken[-1].speaker == "customer",
                )
            )
    return _with_copies(_with_placeholders(written, draw), draw)


def _draw_time(draw: Random) -> datetime:
    working_days = len(WEEKDAYS)
    day = draw.choice([day for day in range(DAYS) if day % 7 < working_days or chance(draw, 0.3)])
    return FIRST_DAY + timedelta(days=day, seconds=draw.randrange(14 * 3600))


def _native_id(source: str, number: int, draw: Random) -> str:
    if source == DESK:
        return str(48200 + 3 * number)
    if source == CHAT:
        return f"{draw.getrandbits(48):012x}"
    return f"Q-{1001 + number}"


def _with_placeholders(written: Sequence[Conversation], draw: Random) -> list[Conversation]:
    """Leave a template slot unfilled in some answers of the FAQ."""
    able = [conversation.native_id for conversation in written if conversation.source == FAQ and conversation.is_answered]
    chosen = set(draw.sample(able, PLACEHOLDERS))
    return [_unfill(conversation, draw) if conversation.native_id in chosen else conversation for conversation in written]


def _unfill(conversation: Conversation, draw: Random) -> Conversation:
    question, answer = conversation.turns
    unfilled = replace(answer, text=f"{answer.text} {draw.choice(UNFILLED)}")
    return replace(conversation, turns=[question, unfilled], has_placeholder=True)


def _with_copies(written: Sequence[Conversation], draw: Random) -> list[Conversation]:
    """Add repeated tickets and copied FAQ rows; each copy is opened after its original."""
    faq = [
        one for one in written if one.source == FAQ and one.is_answered and not one.has_placeholder and _words(one) > LONG_ENOUGH
    ]
    chosen = draw.sample(faq, NEAR_COPIES + EXACT_COPIES)
    lonely = [
        one for one in written if one.source == DESK and not one.is_answered and not any(turn.is_private for turn in one.turns)
    ]
    copies = [_near_copy(one, number) for number, one in enumerate(chosen[:NEAR_COPIES])]
    copies += [_exact_copy(one, NEAR_COPIES + number) for number, one in enumerate(chosen[NEAR_COPIES:])]
    copies += [
        replace(
            one,
            native_id=str(int(one.native_id) + 1),
            opened=one.opened + timedelta(minutes=7),
            copy_of=one.native_id,
            copy_kind="exact",
        )
        for one in draw.sample(lonely, REPEATED_TICKETS)
    ]
    return [*written, *copies]


def _words(conversation: Conversation) -> int:
    return sum(len(turn.text.split()) for turn in conversation.turns)


def _near_copy(one: Conversation, number: int) -> Conversation:
    question, answer = one.turns
    turns = [replace(question, text=f"Hello, {question.text}"), replace(answer, text=f"{answer.text} Cheers")]
    return replace(one, **_as_copy(one, number, "near"), turns=turns)


def _exact_copy(one: Conversation, number: int) -> Conversation:
    question, answer = one.turns
    turns = [replace(question, text=question.text.upper()), replace(answer, text=answer.text.replace(" ", "  ", 2))]
    return replace(one, **_as_copy(one, number, "exact"), turns=turns)


def _as_copy(one: Conversation, number: int, kind: str) -> dict[str, Any]:
    opened = one.opened + timedelta(days=1, minutes=number)
    return {"native_id": f"Q-{2001 + number}", "opened": opened, "copy_of": one.native_id, "copy_kind": kind}
