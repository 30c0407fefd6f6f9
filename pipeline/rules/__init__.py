"""The rules a conversation must meet, by the name of the fault they find.

A rule is a function from the limits to an expression over a frame of turns (see pipeline/turns.py): true for every turn
at fault. What follows from a fault (drop the conversation, cut the turn, merge it, flag) is decided in params.yaml.
"""

from collections.abc import Callable, Mapping
from typing import Final

import polars as pl

from pipeline.rules import (
    bot_turn,
    empty_turn,
    leading_agent_turn,
    no_answer,
    no_question,
    residual_identifier,
    same_speaker_run,
    too_long,
    too_short,
    tool_turn,
    trailing_customer_turn,
    unfilled_placeholder,
)
from pipeline.rules.limits import Limits

Rule = Callable[[Limits], pl.Expr]

RULES: Final[Mapping[str, Rule]] = {
    "tool_turn": tool_turn.fault,
    "bot_turn": bot_turn.fault,
    "empty_turn": empty_turn.fault,
    "leading_agent_turn": leading_agent_turn.fault,
    "trailing_customer_turn": trailing_customer_turn.fault,
    "same_speaker_run": same_speaker_run.fault,
    "no_answer": no_answer.fault,
    "no_question": no_question.fault,
    "unfilled_placeholder": unfilled_placeholder.fault,
    "residual_identifier": residual_identifier.fault,
    "too_long": too_long.fault,
    "too_short": too_short.fault,
}

MENDS: Final[Mapping[str, Callable[[pl.Expr], pl.Expr]]] = {}
"""Rules that know how to put a text right: from the expression of the text to that of the better one."""
