"""A look-up does not stand between a question and its answer; the assistant of a training row calls a tool to answer.

Source: the order that Mistral's validator wants (mistral-finetune finetune/data/tokenize.py: call, result, assistant) and
LLaMA-Factory's converter (observations at the places of people); both read November 2026.
"""

import polars as pl

from pipeline.rules.limits import Limits


def fault(_limits: Limits) -> pl.Expr:
    """True for every look-up that follows an agent, or that no agent follows.

    >>> from pipeline.turns import said
    >>> turns = said("customer: Where is it?", "tool: shipped", "agent: Let me see.", "tool: late", "agent: On its way.")
    >>> turns.select(fault(None)).to_series().to_list()
    [False, False, False, True, False]
    """
    is_tool = pl.col("role") == "tool"
    spoken = pl.when(~is_tool).then(pl.col("role"))
    return is_tool & ((spoken.forward_fill().over("row") != "customer") | (spoken.backward_fill().over("row") != "agent"))


def move(turns: pl.DataFrame) -> pl.DataFrame:
    """Every look-up before the answer of its exchange: the run of agent turns it interrupts, or the one after it.

    >>> from pipeline.turns import said
    >>> turns = said("customer: Where is it?", "agent: Let me see.", "tool: late", "agent: On its way.", "customer: Oh")
    >>> move(turns)["turn_id"].to_list()
    ['t0', 't2', 't1', 't3', 't4']
    """
    spoken = pl.when(pl.col("role") != "tool").then(pl.col("role"))
    last = spoken.forward_fill().over("row")
    turned = (spoken != last.shift(1).over("row")).fill_null(value=False) & spoken.is_not_null()
    run = turned.cast(pl.Int32).cum_sum().over("row") * 2
    place = pl.when(spoken.is_not_null()).then(run).when(last == "agent").then(run - 1).otherwise(run + 1)
    return turns.with_columns(place=place).sort("row", "place", maintain_order=True).drop("place")
