"""What a customer says that asks for nothing: thanks, a thumb, a greeting, a goodbye.

Whole texts of such words alone, in the languages help desks meet most; whatever holds another word, a digit or a question
mark counts as a question. Source: what customers write last in support chats.
"""

import re
from collections.abc import Sequence
from itertools import takewhile
from typing import Final

from pipeline.answering.request import Turn

PHRASES: Final = """
thanks | many thanks | thanks a lot | thanks so much | thanks again | thank you | thank you so much | thank you very much
| thank u | thx | thnx | ty | tysm | cheers | much appreciated | i appreciate it | appreciate it | for your help
| for the help | for helping | for everything | for your time | in advance | danke | danke schön | dankeschön | danke sehr
| vielen dank | besten dank | herzlichen dank | danke dir | danke ihnen | für ihre hilfe | für die hilfe | merci
| merci beaucoup | merci bien | grand merci | gracias | muchas gracias | mil gracias | grazie | grazie mille | obrigado
| obrigada | muito obrigado | muito obrigada | bedankt | hartelijk dank | dank je | dank je wel | dank u | dank u wel
ok | okay | okey | k | kk | great | perfect | cool | nice | awesome | wonderful | excellent | brilliant | lovely | super
| fine | got it | understood | noted | all good | no problem | no worries | that's all | that is all | it works | it works now
| works now
| no thanks | no thank you | solved | problem solved | prima | perfekt | alles klar | passt | toll
| nein danke | non merci | wunderbar | d'accord | parfait
| très bien | vale | perfecto | genial | de acuerdo | perfetto | va bene | perfeito | oké | lol | haha | xd
hi | hello | hey | hi there | hello there | hi all | hello all | hi team | hello team | good morning | good afternoon
| good evening | bye | bye bye | goodbye | see you | take care | have a nice day | have a good day | have a great day
| have a nice weekend | have a great weekend | you too | same to you | best regards | kind regards | hallo | guten tag
| guten morgen | guten abend | moin | tschüss | auf wiedersehen | schönen tag | schönen tag noch | viele grüße | liebe grüße
| beste grüße | mit freundlichen grüßen | lg | mfg | bonjour | bonsoir | salut | au revoir | bonne journée | bonne soirée
| cordialement | hola | buenos días | buenas tardes | buenas noches | adiós | saludos | ciao | buongiorno | buonasera
| arrivederci | olá | bom dia | boa tarde | boa noite | tchau | goedemorgen | goedemiddag | tot ziens | fijne dag
"""

ASKS: Final = re.compile("[?\uff1f\u061f]")
"""Question marks, of Latin, Chinese and Arabic writing."""

ANYTHING_ELSE: Final = re.compile(
    r"(?:anything|something) (?:else|more)|help you (?:any )?further|noch (?:etwas|was)|sonst noch|autre chose|algo más|altro|"
    r"algo mais|nog iets",
    re.IGNORECASE,
)
"""What agents ask before they go."""

_WORDS: Final = sorted((each.strip().casefold() for each in re.split(r"[|\n]", PHRASES) if each.strip()), key=len, reverse=True)
_ANY: Final = "|".join(_WORDS).replace(" ", r"\s+")
COURTESY: Final = re.compile(rf"[\W_]*(?>(?:{_ANY})(?!\w)[\W_]*)*")
"""The longest first, and none taken back, so that a text is read once."""


def asks_nothing(turns: Sequence[Turn]) -> bool:
    """Whether nothing that a customer said since anybody else spoke asks for an answer; what answers a question does.

    >>> asks_nothing([Turn("t0", "customer", "Thanks a lot, have a nice day! 👍")])
    True
    >>> asks_nothing([Turn("t0", "agent", "Shall I cancel it?"), Turn("t1", "customer", "👍")])
    False
    """
    last = list(takewhile(lambda turn: turn.speaker in {"customer", "tool"}, reversed(turns)))
    before = turns[-len(last) - 1].text if len(turns) > len(last) else ""
    said = [turn.text.casefold().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'") for turn in last if turn.speaker == "customer"]
    if ASKS.search(before) and not ANYTHING_ELSE.search(before):
        return False
    return all(COURTESY.fullmatch(text) and not ASKS.search(text) for text in said)
