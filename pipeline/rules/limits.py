"""The numbers that rules judge by."""

from pydantic import Field

from pipeline.params import Section


class Limits(Section):
    """The numbers that rules judge by; a rule that is ignored does not read its own."""

    min_tokens: int = Field(ge=0)
    """Shortest conversation that teaches anything. Tokens of the whole chat, overhead included."""

    max_tokens: int = Field(ge=1)
    """Longest conversation that a trainer would not cut. Tokens of the whole chat, overhead included."""
