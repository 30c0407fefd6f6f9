"""What the values of a field are like, and what their field may therefore mean."""

# ruff: noqa: PLR2004  # it judges by rules of thumb; the comments beside the numbers say which

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from unicodedata import combining, normalize

from pipeline.doctor.field_names import own_name, words_in
from pipeline.doctor.note_words import tells_note
from pipeline.doctor.personal import SAYS_NO_NAME, kind_of, number, words_of
from pipeline.forum_markup import BBCODE, STORED
from pipeline.reading.drafts import Refused
from pipeline.reading.times import microseconds
from pipeline.reading.values import native_id
from pipeline.text import TextFormat

LIST_STAFF: Final = "speaker: list in `agent` those who answer, if you know them; everybody else is then a customer"
"""What to decide where only names say who speaks."""

FEW: Final = 12
"""More different values than this are authors, not kinds of speakers."""

_ROLES: Final = {
    "customer": "customer user client visitor consumer buyer requester guest human caller patient student member end-user enduser"
    " end_user usr inbound incoming question asker c u customer_message shopper tenant subscriber contact lead prompter"
    " kunde kundin cliente klant klient kund asiakas zakaznik musteri besucher visiteur usuario utente utilisateur anfrager"
    " клиент пользователь 顧客 お客様 客户",
    "agent": "agent support staff assistant operator representative rep admin advisor wizard employee helper sys gpt csr teacher"
    " moderator team seller merchant outbound outgoing answer answerer a agent_message company service expert doctor model"
    " mitarbeiter mitarbeiterin berater bearbeiter agente conseiller conseillere operateur medewerker operatore operador"
    " pracownik konsultant handlaggare medarbejder asiakaspalvelija operatör temsilci оператор агент 担当者 客服",
    "bot": "bot chatbot automation auto virtual_assistant assistente_virtuale",
    "tool": "tool function action system",
}
SPEAKS: Final = {word: role for role, words in _ROLES.items() for word in words.split()}

TEXT: Final = (
    "text body message content comment post utterance answer question reply response description selftext msg says"
    " nachricht texte contenu mensaje texto messaggio testo bericht inhalt mensagem wiadomosc tresc meddelande besked viesti"
    " zprava mesaj kommentar commentaire comentario"
)
_TIME: Final = (
    "time date created sent posted timestamp ts at utc stamp when datetime updated"
    " datum zeit zeitpunkt uhrzeit fecha hora heure data tijd czas tid aika cas tarih envoi creation erstellt eingegangen cree"
    " creado creacion creato creazione aangemaakt criado criacao utworzono utworzenia"
)
_WHO: Final = (
    "speaker role from sender author direction inbound participant who user by side party incoming name type usr creator writer"
    " absender verfasser expediteur auteur remitente autor mittente autore afzender remetente nadawca avsandare afsender"
    " lahettaja odesilatel gonderen"
)
ID: Final = (
    "tid cid sid convid threadid conversation thread dialog dialogue ticket case session chat topic issue discussion link conv"
    " room ticketnummer vorgang vorgangsnummer numero dossier caso incidencia chamado zgloszenie arende sag tapaus gesprach"
    " conversacion conversazione gesprek ticketnr ticketno vorgangsnr fallnummer fallnr zgloszenia sprawa sprawy melding"
    " zaak zaaknummer zaaknr"
)
_CHANNEL: Final = frozenset({"stream", "channel", "recipient", "room"})
_CUSTOMERS: Final = frozenset({"contact", "customer", "visitor", "lead", "end_user", "end-user", "requester"})
_ANSWERS: Final = frozenset({"agent", "staff", "operator", "outbound", "outgoing"})
_PARENT: Final = "parent tmid reference reply replied replyto response responded answered quoted inreplyto in to"
LEAST_ADDRESS: Final = 12
"""Characters of an address: whatever its column is called, what is so long and stands elsewhere as an id is meant."""
_ADDRESS_HINT: Final = 1
_ORDER: Final = "turn index idx seq sequence position order step number no nr pos utterance line"
ANSWERED: Final = frozenset(
    {
        *("answered", "replied", "responded", "beantwortet", "antwort", "geantwortet", "repondu", "reponse", "respondido"),
        *("respuesta", "risposto", "risposta", "beantwoord", "antwoord", "resposta", "odpowiedzi", "odpowiedziano"),
    }
)
"""Names of the times of answers."""
_LATER: Final = ANSWERED | {
    *("updated", "modified", "edited", "closed", "resolved", "solved", "geandert", "aktualisiert", "geschlossen", "gelost"),
    *("modifie", "ferme", "resolu", "actualizado", "cerrado", "aggiornato", "chiuso", "bijgewerkt", "gesloten", "atualizado"),
    *("fechado", "zamkniecia", "zamknieto", "aktualizacji"),
}
_OF_EXPORT: Final = frozenset({"export", "exported", "fetched", "downloaded", "retrieved", "crawled", "scraped"})
"""Names of the time at which something left its place, not of when it was written."""
LABEL: Final = (
    "category tag tags intent label labels topic topics queue department product subject_area forum board section"
    " kategorie categorie categoria thema sujet abteilung"
)
_QUESTION: Final = (
    "question q query prompt instruction input ask customer user human problem issue request title body utterance post text"
    " frage anfrage pregunta consulta domanda vraag pergunta pytanie"
    " description beschreibung descripcion descrizione omschrijving descricao opis"
)
_ANSWER: Final = (
    "answer response reply output completion solution agent assistant bot ai a resolution accepted"
    " antwort reponse respuesta risposta antwoord resposta odpowiedz"
)
_PATTERNS: Final = (
    "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M",
    "%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %I:%M %p", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d-%m-%Y %H:%M:%S", "%d-%m-%Y %H:%M",
    "%a %b %d %H:%M:%S %z %Y", "%a, %d %b %Y %H:%M:%S %z", "%a, %d %b %Y %H:%M:%S %Z", "%b %d, %Y %I:%M %p", "%d %b %Y %H:%M",
    "%m/%d/%Y, %I:%M:%S %p", "%m/%d/%Y, %I:%M %p", "%m/%d/%y, %I:%M %p", "%m/%d/%y %I:%M %p", "%d/%m/%Y, %H:%M:%S",
    "%d/%m/%Y, %H:%M", "%d.%m.%Y, %H:%M:%S", "%d.%m.%Y, %H:%M", "%d.%m.%y, %H:%M", "%d/%m/%y, %H:%M", "%d/%m/%y %H:%M",
    "%m/%d/%y %H:%M", "%d-%m-%y %H:%M", "%d-%b-%Y %H:%M:%S", "%d-%b-%Y %H:%M", "%d-%b-%y %I.%M.%S.%f %p",
    "%d %B %Y %H:%M", "%d %b %Y %I:%M %p", "%d %b %Y %H:%M:%S", "%b %d, %Y %H:%M:%S", "%b %d, %Y %I:%M:%S %p",
    "%B %d, %Y, %I:%M %p", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%Y/%m/%d", "%d-%b-%Y", "%d-%b-%y",
)  # fmt: skip
_ESCAPED: Final = re.compile(r"&(?:amp;)?(?:#\d{2,6}|#x[0-9a-f]{2,6}|quot|nbsp|amp|lt|gt);", re.IGNORECASE)
_BBCODE: Final = re.compile(BBCODE)
_TAGGED: Final = re.compile(r"</?(?:p|br|div|a|b|i|strong|span|ul|li|code|pre|blockquote)\b[^<>]*>", re.IGNORECASE)


@dataclass
class Column:
    """What the values of one field are like."""

    name: str
    values: list[Any]
    """Those that are not empty."""
    rows: int

    def __post_init__(self) -> None:
        self.texts = [str(value) for value in self.values if not isinstance(value, list | dict)]
        self.words = [words_of(text) for text in self.texts]
        self.distinct = len(set(self.texts))
        self.filled = len(self.values) / max(self.rows, 1)
        self.mean_words = sum(self.words) / max(len(self.words), 1)
        self.tokens = words_in(own_name(self.name))

    def hints(self, words: str, *, on_its_way: bool = False) -> int:
        """How many words of its name are among these, or of all its path; a whole one counts more than a part."""
        known = set(words.split())
        tokens = words_in(self.name) if on_its_way else self.tokens
        return 2 * len(tokens & known) + sum(
            any(len(word) > 3 and word in token for word in known) for token in tokens - known
        )  # shorter parts stand in any word

    @property
    def is_scalar(self) -> bool:
        """Whether its values are single ones: no lists, no records."""
        return bool(self.texts) and len(self.texts) == len(self.values)

    @property
    def is_flag(self) -> bool:
        """Whether it says yes or no."""
        return bool(self.texts) and {text.casefold() for text in self.texts} <= {"true", "false"}

    @property
    def holds_notes(self) -> bool:
        """Whether its values are what staff says among themselves, by its name: no text of it is a message."""
        return tells_note(self.tokens)

    def time(self) -> tuple[str | None, bool] | None:
        """The pattern its times are written in (null for those ingest knows), and whether they state a zone."""
        sample = [value for value in self.values if not isinstance(value, list | dict | bool)][:200]
        if not sample:
            return None
        numbers = [number(value) for value in sample]
        if all(number is not None for number in numbers):
            plausible = all(any(6e8 < abs(number or 0) / unit < 2.6e9 for unit in (1, 1e3, 1e6, 1e9)) for number in numbers)
            return (None, True) if plausible and (self.hints(_TIME) or self.distinct > FEW) else None
        texts = [str(value) for value in sample]
        zones = [_iso_zone(text) for text in texts]
        if all(zone is not None for zone in zones):
            return None, all(zones)
        for pattern in _PATTERNS:
            if all(_fits(text, pattern) for text in texts):
                return pattern, "%z" in pattern
        return None

    def kind(self) -> str | None:
        """The entity type of its values, where they are personal."""
        return None if self.is_flag else kind_of(self.name, self.texts, is_time=self.time() is not None)


def _iso_zone(text: str) -> bool | None:
    """Whether a time that needs no pattern states its zone; null for no time."""
    if len(text.strip()) < 8:  # 20260105
        return None
    try:
        microseconds(text, None, None, "")
    except Refused as refusal:
        return False if refusal.reason == "no_time_zone" else None
    return True


def _fits(text: str, pattern: str) -> bool:
    try:
        datetime.strptime(" ".join(text.split()), pattern)  # noqa: DTZ007  # only whether it fits
    except ValueError:
        return False
    return True


def columns_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, Column]:
    """Name -> column, in the order in which the names first appear."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {
        name: Column(name, [row[name] for row in rows if row.get(name) not in (None, "", [], {})], len(rows)) for name in names
    }


def text_column(columns: Mapping[str, Column], taken: set[str]) -> Column | None:
    """The column with the messages: words, and a name that says so."""
    candidates = [
        column
        for column in columns.values()
        if column.name not in taken
        and column.is_scalar
        and (column.mean_words >= 2 or column.hints(TEXT))
        and sum(words > 1 for words in column.words) * 10 > len(column.words)  # chats are terse, but ids are one word each
        and not column.time()  # a message has words
        and any(isinstance(value, str) for value in column.values)
        and column.kind() is None
        and not column.holds_notes
    ]

    def worth(column: Column) -> float:
        hint = column.hints(TEXT) and 3.0
        return hint + min(column.mean_words, 30) / 5 + column.distinct / max(len(column.texts), 1) + (column.filled > 0.5)  # half

    return max(candidates, key=worth, default=None)


def speaker_column(
    columns: Mapping[str, Column], taken: set[str], least: int = 2
) -> tuple[Column, dict[str, list[Any]], str] | None:
    """The column that says who speaks, what its values mean, and what any other means; `least`: authors there must be."""
    best: tuple[float, Column, dict[str, list[Any]]] | None = None
    for column in columns.values():
        if column.name in taken or not column.is_scalar or column.filled < 0.9:  # somebody always speaks
            continue
        values = {str(value): value for value in column.values}
        if len(values) > FEW:
            continue
        meaning = _meaning(column, values)
        known = sum(map(len, meaning.values()))
        if "customer" not in meaning or (known < len(values) and "agent" not in meaning):
            continue
        named = {str(value) for each in meaning.values() for value in each}
        if left := [value for text, value in values.items() if text not in named]:
            meaning.setdefault("tool", []).extend(left)  # beside customers and agents: a system that took part
        score = column.hints(_WHO) + known + ("agent" in meaning) * 2
        if best is None or score > best[0]:
            best = score, column, meaning
    if best is not None and best[2].keys() > {"customer"}:
        return best[1], best[2], "refuse"
    authors = [
        column
        for column in columns.values()
        if column.name not in taken and column.is_scalar and column.hints(_WHO + " owner id uid poster nick screen login email")
        and column.hints(_WHO + " owner poster nick uid login email usr") and column.mean_words <= 4 and column.distinct >= least
        and not column.time() and column.filled > 0.5  # half
        and not column.is_flag and not column.tokens & SAYS_NO_NAME
    ]  # fmt: skip
    found = max(
        authors,
        key=lambda each: (each.hints("author user usr sender from speaker poster owner"), each.filled, each.distinct),
        default=None,
    )
    if found is not None:
        return found, {}, "starter"
    return None if best is None else (best[1], best[2], "refuse")  # customers alone


def tells_both_sides(column: Column) -> bool:
    """Whether each of its values means a customer or somebody who answers."""
    values = {str(value): value for value in column.values}
    if not column.is_scalar or len(values) > FEW or column.filled <= 0.5:  # half
        return False
    meaning = _meaning(column, values)
    return meaning.keys() >= {"customer", "agent"} and sum(map(len, meaning.values())) == len(values)


def _meaning(column: Column, values: Mapping[str, Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    asks, answers = column.tokens & {"inbound", "incoming", "customer", "user", "requester"}, column.tokens & _ANSWERS
    said = {text.casefold(): value for text, value in values.items()}
    if "direction" in column.tokens and set(said) <= {"in", "out"}:
        return {role: [said[text]] for text, role in (("in", "customer"), ("out", "agent")) if text in said}
    if set(said) == {"m", "r"}:  # osTicket's message and response
        return {"customer": [said["m"]], "agent": [said["r"]]}
    if (asks or answers) and set(said) <= {"true", "false", "0", "1"}:
        for text, value in values.items():
            found.setdefault("customer" if (text.casefold() in {"true", "1"}) == bool(asks) else "agent", []).append(value)
        return found
    for text, value in values.items():
        word = re.sub(r"[\s:]+", "_", "".join(s for s in normalize("NFKD", text.strip().casefold()) if not combining(s))).strip(
            "_"
        )
        role = SPEAKS.get(word) or SPEAKS.get(word.rpartition("_")[2]) or SPEAKS.get(word.partition("_")[0])
        if role:
            found.setdefault(role, []).append(value)
    if "direction" in column.tokens and found.keys() == {"customer"}:
        found["agent"] = [value for value in values.values() if value not in found["customer"]]  # INCOMING_EMAIL and EMAIL
        return found if found["agent"] else {"customer": found["customer"]}
    if "agent" not in found and "user" in said and said.keys() & _CUSTOMERS:
        found["customer"].remove(said["user"])
        found["agent"] = [said["user"]]  # whoever uses the desk
    if "agent" not in found and "bot" not in found and "system" in said and found.get("tool") == [said["system"]]:
        found["agent"] = found.pop("tool")  # "user" and "system": a dialogue system speaks for the company
    return found


def id_column(
    columns: Mapping[str, Column], taken: set[str], text: str | None, rows: Sequence[Mapping[str, Any]]
) -> Column | None:
    """The column whose value ties the messages of a conversation together."""
    best: tuple[float, Column] | None = None
    for column in columns.values():
        if (
            column.name in taken
            or column.name == text
            or column.tokens & {"permalink", "url"}
            or column.is_flag
            or not column.is_scalar
            or column.filled < 0.95
            or column.mean_words > 2
        ):  # an id is always there, and short
            continue
        if column.kind() is not None or any(isinstance(value, float | bool) and value != int(value) for value in column.values):
            continue
        size = len(column.texts) / max(column.distinct, 1)
        looks = column.hints(ID, on_its_way=True) * 2 + ("id" in column.tokens) + (column.name.casefold().endswith("id"))
        is_label = bool(column.hints(LABEL)) and "id" not in column.tokens
        if (
            not looks
            or size < 1.2
            or (column.distinct <= 2 and len(rows) > 50)
            or is_label
            or (column.time() and not column.hints(ID))
        ):  # repeats, but not everywhere
            continue
        score = looks + (2 if 1.5 <= size <= 60 else 0)  # messages of a conversation
        if best is None or score > best[0]:
            best = score, column
    return best[1] if best else None


def topic_column(
    columns: Mapping[str, Column], group: Column | None, rows: Sequence[Mapping[str, Any]]
) -> tuple[Column, Column] | None:
    """A channel and the column that parts its messages by what they are about; null where `group` is another's id."""
    topic = next((each for each in columns.values() if each.name.casefold() in {"topic", "subject"} and each.is_scalar), None)
    if topic is None or topic.filled < 0.5 or (group is not None and group.hints(ID) and not group.tokens & _CHANNEL):
        return None
    for channel in [group] if group is not None and group.tokens & _CHANNEL else columns.values():
        if channel.is_scalar and channel.filled == 1 and channel.tokens & _CHANNEL:
            parts = len({(str(row.get(channel.name)), str(row.get(topic.name))) for row in rows})
            if channel.distinct < parts and len(rows) > 1.2 * parts:  # most are answered
                return channel, topic
    return None


def parent_columns(columns: Mapping[str, Column]) -> tuple[Column, Column] | None:
    """A column that names each row, and one that names the row it answers; null where none does."""
    own = [each for each in columns.values() if each.is_scalar and each.filled == 1 and each.distinct == each.rows]
    found: list[tuple[int, Column, Column]] = []
    for name in own:
        for parent in columns.values():
            hints = parent.hints(_PARENT, on_its_way=True) or _ADDRESS_HINT * _is_address(parent)
            if parent.tokens & {"count", "score", "number", "num", "votes"} or not hints:
                continue  # small numbers are ids, too
            if parent is not name and parent.is_scalar and answers(name, parent):
                found.append((hints, name, parent))
    if not found:
        return None
    _, name, parent = max(found, key=lambda each: each[0])
    posts = columns.get("link_id")  # names the post itself, also where the comment between was not delivered
    return name, posts if posts is not None and parent.name == "parent_id" else parent


def _is_address(parent: Column) -> bool:
    """Whether its values are long as addresses are, and no times, which stand in several columns too."""
    return all(len(text) >= LEAST_ADDRESS for text in parent.texts) and parent.time() is None


def answers(name: Column, parent: Column) -> bool:
    """Whether a quarter of what one column names are rows by another; others lie elsewhere."""
    ids, answered = ({_without_kind(native_id(text)) for text in each.texts} for each in (name, parent))
    return len(answered & ids) * 4 > len(answered)


def _without_kind(own: str | None) -> str | None:
    """An id of Reddit's without the kind before it."""
    return own and re.sub(r"^t[1-6]_", "", own)


def kind_of_author(author: Column) -> str | None:
    """What the names of authors are: personal, unless they are only numbers."""
    return None if all(number(text) is not None for text in author.texts) else author.kind() or "USER_NAME"


def text_format(text: Column) -> dict[str, TextFormat]:
    """The setting its texts ask for: bbcode where a 20th holds it, html where a fifth hold a tag, escaped where only entities."""
    sample = text.texts[:500]
    if sample and sum(bool(_BBCODE.search(each) or STORED.fullmatch(each)) for each in sample) * 20 > len(sample):
        return {"text_format": "bbcode"}
    tagged = sum(bool(_TAGGED.search(each)) for each in sample)
    if sample and tagged * 5 > len(sample):
        return {"text_format": "html"}
    escaped = sum(bool(_ESCAPED.search(each)) for each in sample)
    return {"text_format": "escaped"} if escaped and escaped * 100 > len(sample) else {}


def pair_columns(columns: Mapping[str, Column]) -> tuple[Column, Column] | None:
    """A column with questions and one with their answers."""
    return pair_among(
        [
            column
            for column in columns.values()
            if column.is_scalar and column.mean_words >= 2 and not column.time() and column.kind() is None  # a message has words
            and not column.holds_notes
            and column.distinct * 3 > len(column.texts)
        ]
    )  # fmt: skip


def pair_among(texts: Sequence[Column]) -> tuple[Column, Column] | None:
    """Of columns that hold texts one with questions and one with their answers, by their names."""
    answers = [column for column in texts if column.tokens & set(_ANSWER.split())]
    if not answers:
        return None
    answer = max(answers, key=lambda each: (each.mean_words, each.name))
    questions = [column for column in texts if column is not answer and column.tokens & set(_QUESTION.split())]
    if not questions:
        return None
    return max(
        questions, key=lambda each: (min(each.mean_words, 8), each.hints("question query prompt instruction body"), each.name)
    ), answer


_OF_BOTS: Final = {
    *("intent", "intent_name", "detected_intent", "matched_intent", "intent_confidence", "intentDetectionConfidence"),
    *("fulfillment_text", "bot_response"),
}
"""Columns that only the logs of bots have."""


def answers_as_a_bot(columns: Mapping[str, Column], answer: Column) -> bool:
    """Whether the answers are a bot's, by the names of the columns."""
    return bool(columns.keys() & _OF_BOTS or answer.tokens & {"bot", "fulfillment", "chatbot"})


def is_sure(pair: tuple[Column, Column]) -> bool:
    """Whether nearly every row asks, and many are answered."""
    return pair[0].filled > 0.9 and pair[1].filled > 0.3  # not every question has an answer


def is_order(column: Column, rows: Sequence[Mapping[str, Any]], group: str) -> bool:
    """Whether a column counts the messages of each conversation: whole numbers, none of them twice."""
    if not column.hints(_ORDER) or column.filled < 1 or any(number(value) is None for value in column.values):
        return False
    pairs = Counter((str(row.get(group)), str(row.get(column.name))) for row in rows)
    return max(pairs.values()) == 1


def time_column(columns: Mapping[str, Column], used: set[str]) -> tuple[Column, str | None, bool] | None:
    """The column with the times, the pattern they are written in, and whether they state a zone."""
    best: tuple[int, tuple[Column, str | None, bool]] | None = None
    for column in columns.values():
        if column.name in used or not column.is_scalar or column.filled < 1 or column.tokens & _OF_EXPORT:
            continue
        found = column.time()
        if found is not None:
            score = column.hints(_TIME) * 2 + min(column.distinct, 5) + (not column.tokens & _LATER)
            if best is None or score > best[0]:
                best = score, (column, *found)
    return best[1] if best else None


def declare_time(mapping: dict[str, Any], time: tuple[Column, str | None, bool], reasons: list[str], remarks: list[str]) -> None:
    """Put into the mapping how its times are written."""
    column, pattern, has_zone = time
    reasons.append(f"{column.name!r} holds times" + (f" written as {pattern}" if pattern else ""))
    if pattern is not None:
        mapping["time_format"] = pattern
        if pattern.startswith(("%d/%m", "%m/%d")):
            remarks.append("time_format: check that day and month are not the other way round")
    if not has_zone:
        mapping["zone"] = "UTC"
        remarks.append("zone: the times state none and are taken as UTC; put yours, such as Europe/Berlin")
