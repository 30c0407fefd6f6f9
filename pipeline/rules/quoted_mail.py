"""A turn quotes the mail it answers: every earlier turn would be learnt again, as the words of somebody else.

Source: reply headers as Gmail, Outlook and Apple Mail write them in English, German, French, Spanish and Dutch.
"""

from typing import Final

import polars as pl

from pipeline.rules.limits import Limits

DATED: Final = r"[^\n]{0,150}[\d\[<][^\n]{0,150}"
"""Of a reply header: it says when, unless scrub put a placeholder there. "On this page it wrote:" is none."""
QUOTE: Final = (
    r"(?im)^[ \t]*(?:"
    rf"on {DATED} wrote:|am {DATED} schrieb[^\n]{{0,100}}:|"
    rf"le {DATED} a écrit\s?:|el {DATED} escribió:|op {DATED} schreef[^\n]{{0,100}}:|"
    r"-{2,} ?(?:original message|forwarded message|ursprüngliche nachricht|message d'origine|mensaje original) ?-{2,}|"
    r"from: [^\n]{3,200}\nsent: [^\n]{3,200}$|"
    r"from: [^\n]{0,200}@[^\n]{0,200}\n(?:date|to): [^\n]{3,200}$|"
    r"from: [^\n]{2,200}\n(?:(?:date|to|cc|reply-to): [^\n]{0,200}\n){1,4}subject: "
    r")"
)
"""Lines "From: London" and "To: Paris" alone are a journey."""
SHALLOW: Final = r"^[ \t]*>>?(?:[^>\n][^\n]*)?(?:\n|\z)"
QUOTED_LINES: Final = rf"(?m)(?:^[ \t]*>[^\n]*\n)*(?:{SHALLOW}^[ \t]*>[^\n]*\n?|^[ \t]*>[^\n]*\n{SHALLOW})(?:^[ \t]*>[^\n]*\n?)*"
"""Lines that all begin with ">>>" are a session of Python."""
QUOTED_FIRST: Final = r"\A\s*>+[ \t]?[\p{L}\"'][^\n]*\n[ \t]*\n"
"""A post that begins with one quoted line and goes on below a blank one."""


def fault(_limits: Limits) -> pl.Expr:
    r"""True for every turn with a reply header, two quoted lines in a row, or one above the answer.

    >>> from pipeline.turns import said
    >>> turns = said("customer: Thanks.\nOn Mon, 5 Jan 2026 Support wrote:\nHi", "agent: 5 > 3", "agent: > a\n> b\nYes")
    >>> turns.select(fault(None)).to_series().to_list()
    [True, False, True]
    """
    text = pl.col("text")
    return text.str.contains(QUOTE) | text.str.contains(QUOTED_LINES) | text.str.contains(QUOTED_FIRST)


def mend(text: pl.Expr) -> pl.Expr:
    r"""The text up to the reply header, without quoted lines.

    >>> pl.select(mend(pl.lit("Thanks.\n\nOn Mon, 5 Jan 2026 Support wrote:\n> Hi"))).item()
    'Thanks.'
    """
    before = text.str.replace(f"(?s){QUOTE}.*", "")
    return before.str.replace_all(QUOTED_LINES, "").str.replace(QUOTED_FIRST, "").str.strip_chars()
