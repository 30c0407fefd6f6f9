"""How people write the @ and the dots of a mail address when they avoid or spell the signs."""

from typing import Final

AT_WORD: Final = "(?:at|arroba|arobase|klammeraffe)"

AT: Final = rf"(?:\s*[\[({{<]\s*(?:at|@)\s*[\])}}>]\s*|\s+{AT_WORD}\s+|\s+@\s*|\s*@\s+|\s*＠\s*)"  # noqa: RUF001  # full-width sign
"""Not the plain sign."""

DOT_WORD: Final = "(?:dot|punkt|punto|point|ponto)"

SPELLED_DOT: Final = rf"\s*[\[({{<]\s*(?:{DOT_WORD}|\.)\s*[\])}}>]\s*|\s+{DOT_WORD}\s+|\s+\.\s*|．"  # noqa: RUF001  # full-width sign

DOT: Final = rf"(?:{SPELLED_DOT}|\.)"

JOINT: Final = (
    rf"(?:{DOT}|\s+(?:under ?score|dash|hyphen|plus|minus|unterstrich|bindestrich|gui[oó]n(?: bajo)?|tiret(?: bas)?)\s+)"
)
"""Between the parts of a mailbox's name."""
