"""Word lists written as one literal: a list of seventy quoted words reads worse."""


def word_list(words: str) -> frozenset[str]:
    """The words between blanks, casefolded, as texts are looked up in lists.

    >>> sorted(word_list("order  Gru\u00df"))
    ['gruss', 'order']
    """
    return frozenset(words.casefold().split())
