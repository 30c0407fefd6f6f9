"""Is a field's name the name of a field, or of somebody? Only the first may stand in an error or a table.

Exports use values as keys now and then: one entry per customer, one per address. A name counts as a field's when its words
are those that fields are named with, or at least everyday words that nobody is called. When in doubt it is somebody's.
"""

import json
import re
from functools import cache
from pathlib import Path
from typing import Final

from pipeline.replacing.name_lists import family_names, given_names
from pipeline.word_list import word_list

FIELD_WORDS: Final = word_list(
    "account action active actor added address age agent agents alias all allow amount answer app area asked assigned "
    "assignee at attachment attachments attempt attribute attributes audit audits author auto avatar bad base batch bcc "
    "beta birth body bot brand browser by call campaign card case category cc change channel chat check churn city class "
    "client closed code collaborator collaborators color column comment comments company conversation count country created "
    "csat currency custom customer data date day days deal default deleted delivery department desc description detail "
    "details device direction display division document domain draft due duration edited editor effort email emails enabled "
    "end ended english entity entry error escalated escalation event events experiment export external extra failed family "
    "feature feedback field fields file files first firstname flag flags flow folder followers followup form format forum "
    "free from full gender given good group groups handle hash header height help hidden history hold host hour hours html "
    "http iban icon id ids image import in inbound inbox index info initial input intent internal invoice ip is issue item "
    "items job key keys kind label labels lang language last lastname latitude lead length level line link links list "
    "locale location locked login long longitude macro macros mail mark max medium member members merged message messages "
    "meta metadata method metric metrics middle min mobile mode model modified month mood name names native new next "
    "nickname no note notes nps number numbers object of on open opened option options order org organisation organization "
    "origin os outbound outcome owner page parent part participants path payload payment pending percent person persona "
    "phone pin plan platform point points position post price primary priority private problem product profile project "
    "properties property public purchase quality query question queue quota rank rate rating raw read reason received "
    "recipient record ref reference referrer region related remote reopened replied reply report request requester required "
    "resolution resolved response result review risk role room root row rule sales sample satisfaction score screen sec "
    "secondary seconds segment sender sent sentiment seq serial service session severity short side signature size sku sla "
    "solved sort source spam spent stage standard start started state statistics stats status step store street string "
    "style sub subject submitted submitter subscription subtype suggested summary surname survey suspended system tag tags "
    "target task team template tenant test text thread threads ticket tickets tier time times timestamp timezone title to "
    "token topic total trace tracking transcript transfer trial type types uid unit unread until updated upload uri url "
    "usage user username users utc utm uuid valid value values vendor verified version via view vip visibility visit "
    "visitor wait warranty web webhook website week weight widget width with word words year zendesk zip zone "
)
"""Words of the fields of eight help desks' exports, and of what companies add to them."""

SHORT: Final = 3
"""Letters of an abbreviation that may stand beside other words."""

_NAME: Final = re.compile(r"[A-Za-z_][\w .-]{0,63}", re.ASCII)
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_VOCABULARY: Final = Path(__file__).parents[1] / "models/names/tokenizer.json"


def names_a_field(name: str) -> bool:
    """Whether a name may be printed and stored.

    >>> names_a_field("csat_score"), names_a_field("Jo Fox"), names_a_field("jo.fox"), names_a_field("jo@example.com")
    (True, False, False, False)
    """
    if _NAME.fullmatch(name) is None or 2 * sum(map(str.isdigit, name)) > len(name):
        return False
    words = [word.lower() for word in _WORD.findall(name)]
    others = [word for word in words if not _is_of_fields(word)]
    if not others:
        return bool(words)
    is_titled = " " in name and len(others) == len(words)
    return not is_titled and all(_is_everyday(word, stands_alone=len(others) == len(words)) for word in others)


def _is_of_fields(word: str) -> bool:
    return word in FIELD_WORDS or any(
        word[:place] in FIELD_WORDS and word[place:] in FIELD_WORDS for place in range(2, len(word) - 1)
    )


def _is_everyday(word: str, *, stands_alone: bool) -> bool:
    if word in given_names() or word in family_names():
        return False
    if len(word) == 1 or (len(word) <= SHORT and not stands_alone):
        return True
    return len(word) >= SHORT and word in _vocabulary()


@cache
def _vocabulary() -> frozenset[str]:
    """Everyday English words: those that the tokenizer of the model that ships with the package does not cut up."""
    return frozenset(json.loads(_VOCABULARY.read_bytes())["model"]["vocab"])
