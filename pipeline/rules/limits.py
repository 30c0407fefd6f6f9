"""The numbers that rules judge by."""

from pydantic import Field

from pipeline.params import Section


class Limits(Section):
    """The numbers that rules judge by; a rule that is ignored does not read its own."""

    min_tokens: int = Field(ge=0)
    """too_short: fewest tokens of the whole chat, overhead included."""

    max_tokens: int = Field(ge=1)
    """too_long: most tokens of the whole chat, overhead included; what the trainer's context holds."""

    default_cut_tokens: int = Field(ge=1)
    """too_long_for_default: where trainers cut a row unless told otherwise. Tokens."""

    min_answer_words: int = Field(ge=0)
    """answer_too_short: fewest words of the longest answer."""

    min_distinct_word_share: float = Field(ge=0, le=1)
    """repetition: smallest share of different words in a long turn."""

    languages: list[str]
    """wrong_language: ISO 639-1 codes of the languages to train on."""
