"""A turn holds a placeholder of a macro that nobody filled in: a model would learn to say `{{Order Number}}`."""

from typing import Final

import polars as pl

from pipeline.rules.limits import Limits

PLACEHOLDER: Final = r"\{\{[^{}\n]{1,80}\}\}|\$\{[A-Za-z_][\w. ]{0,60}\}|\{%[^%\n]{1,80}%\}|<%=?[^%\n]{1,80}%>"
"""Liquid, Handlebars and Zendesk macros, shell-like names, Jinja tags, ERB: the templates of help desks."""


def fault(_limits: Limits) -> pl.Expr:
    """True for every turn with a double-braced, `${named}`, `{% tag %}` or `<%= tag %>` placeholder.

    >>> from pipeline.turns import said
    >>> turns = said("customer: Where is it?", "agent: Dear {{ticket.requester.name}}, see {order}.", "agent: $5 {x}")
    >>> turns.select(fault(None)).to_series().to_list()
    [False, True, False]
    """
    opens = pl.col("text").str.contains_any(["{{", "${", "{%", "<%"])
    return pl.when(opens).then(pl.col("text")).str.contains(PLACEHOLDER).fill_null(value=False)
