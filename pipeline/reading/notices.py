# ruff: noqa: RUF001, E501  # letters of 15 languages; a pattern is easier to read unbroken
"""Messages that nobody wrote to anybody: requests for a rating, notes of a merge, automatic replies, "me too"s of others.

Short texts that are nothing else, in the words of the help desks' own templates (Zendesk, Freshdesk, Intercom, Help Scout,
HubSpot). A message that also says something of its own is no notice.
"""

import re
from typing import Final

from pipeline.reading.drafts import DraftTurn

MAX_NOTICE: Final = 700
"""Characters; a longer message says more than its template."""
MAX_ME_TOO: Final = 80

_RATING: Final = re.compile(
    r"how would you rate the (?:support|service|help)|please (?:rate|take a moment to rate)|rate (?:your|this) (?:conversation|experience|support|agent)|"
    r"(?:good|great), i(?:'|’)?m satisfied|bad, i(?:'|’)?m (?:un|dis)satisfied|we(?:'|’)d love to (?:hear|know) (?:what you think|how we did)|"
    r"wie (?:bewerten|würden) sie (?:den|unseren|die) (?:support|service|kundendienst)|bewerten sie (?:unseren|den) (?:support|service)|"
    r"comment évaluez-vous|évaluer (?:notre|le) (?:service|support)|¿?cómo (?:calificaría|valoraría)|come valuta|hoe beoordeelt u|"
    r"como (?:você )?(?:avalia|classificaria)|jak ocenia(?:sz|ją|)|hur skulle du betygsätta|hvordan vil du bedømme|miten arvioisi|jak byste hodnotil|"
    r"nasıl değerlendirir|оцените (?:работу|качество|нашу)|評価してください|ご評価",
    re.IGNORECASE,
)
_RATING_STEMS: Final = (
    "rate", "satisfied", "love to", "bewerten", "würden sie", "évalue", "cómo", "come valuta", "hoe beoordeelt", "como", "jak ocenia",
    "betygsätta", "bedømme", "arvioisi", "hodnotil", "erlend", "оцените", "評価",
)  # fmt: skip
"""One of these is in whatever `_RATING` finds, in lower case: looking for them first takes a tenth of the time."""
_MERGE: Final = re.compile(
    r"(?:request|ticket|conversation|case) #?\d+.{0,120} (?:was|has been) (?:closed and )?merged (?:into|with) (?:this )?(?:request|ticket)|"
    r"(?:this )?(?:request|ticket|conversation) #?\d*.{0,80}(?:was|has been) (?:closed and )?merged (?:in ?to|with)|merged (?:from|into) ticket",
    re.IGNORECASE,
)
_AUTOMATIC: Final = re.compile(
    r"^\W{0,3}(?:this is an automat(?:ed|ic) (?:reply|response|message|e-?mail)|i am (?:currently )?out of (?:the )?office|thank you for (?:your e-?mail|contacting us)[.!,].{0,200}(?:automat|received)|"
    r"(?:dies|das) ist eine automatische (?:antwort|nachricht|e-?mail)|ich bin (?:derzeit|zurzeit|bis).{0,80}nicht im (?:büro|hause)|"
    r"ceci est (?:un message|une réponse) automatique|este es un (?:mensaje|correo) automático|questa è una risposta automatica|"
    r"dit is een automatisch|esta é uma (?:resposta|mensagem) automática|to jest (?:automatyczna|wiadomość)|detta är ett automatiskt|dette er (?:et|en) automatisk|"
    r"tämä on automaattinen|toto je automatick|bu (?:bir )?otomatik|это автоматическ|これは自動(?:返信|応答|送信))",
    re.IGNORECASE | re.DOTALL,
)
_ME_TOO: Final = re.compile(
    r"\W*(?:me too|same (?:here|problem|issue)(?: here| for me)?|\+\s?1|i have the (?:same|exact same) (?:problem|issue)(?: too)?|bump|"
    r"(?:ich|mir|bei mir|wir) auch|gleiches problem(?: hier)?|dito|moi aussi|même problème|yo también|mismo problema|anch(?:'|’)io|stesso problema|"
    r"ik ook|zelfde probleem|eu também|mesmo problema|ja też|ten sam problem|jag med|samma problem|også mig|samme problem|minulla myös|sama ongelma|"
    r"já taky|stejný problém|ben de|aynı sorun|у меня (?:тоже|так же)|та же проблема|同じ(?:問題|症状)(?:です)?)\W*",
    re.IGNORECASE,
)


def notice_of(turn: DraftTurn, customer: str | None) -> str:
    """csat_survey, ticket_merge, auto_reply, or me_too of somebody who is not the customer; empty for a message."""
    text = turn.text
    if len(text) > MAX_NOTICE:
        return ""
    if turn.speaker == "customer":
        is_other = turn.author is not None and customer is not None and turn.author != customer
        if is_other and len(text) <= MAX_ME_TOO and _ME_TOO.fullmatch(text):
            return "me_too"
        return "auto_reply" if _AUTOMATIC.search(text[:300]) else ""
    lowered = text.lower()
    if "merged" in lowered and _MERGE.search(text):
        return "ticket_merge"
    if ("?" in text or "http" in text) and any(stem in lowered for stem in _RATING_STEMS) and _RATING.search(text):
        return "csat_survey"
    return "auto_reply" if _AUTOMATIC.search(text[:300]) else ""
