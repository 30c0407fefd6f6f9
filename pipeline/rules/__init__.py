"""The rules a conversation must meet, by the name of the fault they find.

A rule is a function from the limits to an expression over a frame of turns (see pipeline/turns.py): true for every turn
at fault. What follows from a fault (drop the conversation, cut the turn, merge it, flag) is decided in params.yaml.
"""

from collections.abc import Callable, Mapping
from typing import Final

import polars as pl

from pipeline.rules import (
    answer_copies_question,
    answer_too_short,
    boilerplate_answer,
    bot_turn,
    control_character,
    empty_turn,
    injection,
    leading_agent_turn,
    markup,
    misplaced_look_up,
    mojibake,
    no_answer,
    no_question,
    not_an_answer,
    only_links,
    post_footer,
    quoted_mail,
    refusal,
    repeated_signature,
    repetition,
    replacement_character,
    residual_identifier,
    residual_secret,
    same_speaker_run,
    speaker_swapped,
    stale_promise,
    too_long,
    too_long_for_default,
    too_short,
    tool_turn,
    toxic,
    trailing_customer_turn,
    unfilled_placeholder,
    wrong_language,
)
from pipeline.rules.limits import Limits

Rule = Callable[[Limits], pl.Expr]

RULES: Final[Mapping[str, Rule]] = {
    "tool_turn": tool_turn.fault,
    "bot_turn": bot_turn.fault,
    "empty_turn": empty_turn.fault,
    "control_character": control_character.fault,
    "mojibake": mojibake.fault,
    "replacement_character": replacement_character.fault,
    "markup": markup.fault,
    "quoted_mail": quoted_mail.fault,
    "post_footer": post_footer.fault,
    "repeated_signature": repeated_signature.fault,
    "leading_agent_turn": leading_agent_turn.fault,
    "trailing_customer_turn": trailing_customer_turn.fault,
    "misplaced_look_up": misplaced_look_up.fault,
    "same_speaker_run": same_speaker_run.fault,
    "no_answer": no_answer.fault,
    "no_question": no_question.fault,
    "unfilled_placeholder": unfilled_placeholder.fault,
    "residual_identifier": residual_identifier.fault,
    "residual_secret": residual_secret.fault,
    "too_short": too_short.fault,
    "too_long": too_long.fault,
    "too_long_for_default": too_long_for_default.fault,
    "wrong_language": wrong_language.fault,
    "answer_too_short": answer_too_short.fault,
    "boilerplate_answer": boilerplate_answer.fault,
    "answer_copies_question": answer_copies_question.fault,
    "only_links": only_links.fault,
    "not_an_answer": not_an_answer.fault,
    "repetition": repetition.fault,
    "speaker_swapped": speaker_swapped.fault,
    "toxic": toxic.fault,
    "refusal": refusal.fault,
    "injection": injection.fault,
    "stale_promise": stale_promise.fault,
}

MENDS: Final[Mapping[str, Callable[[pl.Expr], pl.Expr]]] = {
    "control_character": control_character.mend,
    "mojibake": mojibake.mend,
    "markup": markup.mend,
    "quoted_mail": quoted_mail.mend,
    "post_footer": post_footer.mend,
    "repeated_signature": repeated_signature.mend,
}
"""Rules that know how to put a text right: from the expression of the text to that of the better one."""
