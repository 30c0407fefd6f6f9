"""A stand-in takes on the look of what it stands for."""

import re
from typing import Final

from pipeline.spelled_mail import SPELLED_DOT

_DANGLING: Final = re.compile(r"\W+\Z")
_SPELLED_DOT: Final = re.compile(SPELLED_DOT, re.IGNORECASE)


def dress(standin: str, original: str) -> str:
    """Give a normalised stand-in the look of the original: its case if it is a word, else its separators and case.

    >>> dress("belamira", "CRYSTAL"), dress("41x9", "22-A 1"), dress("harlow.example.com", "icloud dot com")
    ('BELAMIRA', '41-X 9', 'harlow dot example dot com')
    """
    if standin.isalpha() and not any(sign.isdecimal() for sign in original):
        if original.islower():
            return standin
        return standin.upper() if original.isupper() and len(original) > 1 else standin.capitalize()
    if "." in standin or ":" in standin:
        dot = _SPELLED_DOT.search(original)
        return standin.replace(".", dot.group()) if dot else standin
    signs = iter(standin)
    dressed: list[str] = []
    for old in original:
        if old.isalnum():
            sign = next(signs, "")
            dressed.append(sign.upper() if old.isupper() else sign)
        else:
            dressed.append(old)
    look = "".join(dressed) + "".join(signs)
    return look if len(standin) >= sum(map(str.isalnum, original)) else _DANGLING.sub("", look)
