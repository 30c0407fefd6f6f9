"""The words in the name of a field, in whatever language, however abbreviated: `Kd.-Nr.`, `customer_no`, `user.displayName`."""

import re
from typing import Final
from unicodedata import combining, normalize

_WITHOUT_ACCENT: Final = str.maketrans({"ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "ß": "ss", "æ": "ae", "œ": "oe"})
_STEP: Final = re.compile(r"\.(?=[\w*$])(?!º)")
"""Parts steps of a path; the dot behind an abbreviation has a blank, a hyphen or nothing behind it."""


def words_in(name: str) -> set[str]:
    """The words of a name, without accents.

    >>> sorted(words_in("Kd.-Nr.")), sorted(words_in("displayName")), sorted(words_in("Numéro d'appel"))
    (['kd', 'nr'], ['display', 'name'], ['appel', 'd', 'numero'])
    """
    return set(re.findall(r"[a-z]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", bare(name)).casefold()))


def bare(word: str) -> str:
    """Without accents."""
    return "".join(sign for sign in normalize("NFKD", word) if not combining(sign)).translate(_WITHOUT_ACCENT)


def own_name(name: str) -> str:
    """The last step of a path, without what MongoDB wraps values in.

    >>> own_name("user.sentAt.$date"), own_name("Ticketnr."), own_name("Tel.-Nr.")
    ('sentAt', 'Ticketnr.', 'Tel.-Nr.')
    """
    return steps_of(re.sub(r"(?:\.\$\w+)+$", "", name))[-1]


def steps_of(name: str) -> list[str]:
    """The steps of a path; the name of a column is one."""
    return _STEP.split(name)
