"""Words that nobody is called: syllables put together."""

from typing import Final

from pipeline.replacing.atoms import Dice, Draw


def listed(words: str) -> tuple[str, ...]:
    """The words of a text."""
    return tuple(words.split())


_VOWELS = tuple("aeiou")

_MIDDLES = tuple(consonant + vowel for consonant in "bdfgklmnrstvz" for vowel in "aeio")

FAMILY_STARTS = listed(
    "ash brook burn clay cold crest dale elm fair fen fern frost glen gold gran grey hart hawk hazel holl kirk lang "
    "lock marsh mead mill moor north oak pem quill raven red roth rush sand shel stan sum thorn tor under wal ware "
    "west whit wick win wolf wood york bram carl dun ever farn gar hal ing jar kel lin mer nor ol pres rad sel tan up "
    "ver wes"
)


def invented(starts: tuple[str, ...], ends: tuple[str, ...]) -> Draw:
    """A draw of words that begin and end like these, with a syllable between, or more."""

    def draw(_shape: str, dice: Dice, longer: int) -> str:
        middles = "".join(dice.pick(_MIDDLES) for _ in range(1 + longer))
        return dice.pick(starts) + dice.pick(_VOWELS) + middles + dice.pick(ends)

    return draw


_FAMILY_ENDS = listed(
    "bury by croft dale den don fell field ford gate ham hill hurst land ley low man mere mont more ridge shaw side "
    "stead stone stow ton vale wald ward well wick wood worth yard berg stein feld mann sen sson ski vich ez"
)

family: Final[Draw] = invented(FAMILY_STARTS, _FAMILY_ENDS)
"""Family names, and whatever else is a word."""
