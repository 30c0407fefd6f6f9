"""A turn still holds a credential after scrub: a key, a token, a private key, a password in the open.

Source: the prefixes their issuers document (AWS, GitHub, GitLab, Slack, Stripe, Google, npm, SendGrid; read November 2026),
RFC 7468 for private keys, RFC 7519 for JSON web tokens.
"""

from typing import Final

import polars as pl

from pipeline.rules.limits import Limits

CREDENTIAL: Final = (
    r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36,}|\bgithub_pat_\w{40,}|\bglpat-[\w-]{20,}|\bxox[abeoprs]-[\w-]{10,}|"
    r"\b[sr]k_(?:live|test)_[A-Za-z0-9]{16,}|\bAIza[\w-]{35}|\bnpm_[A-Za-z0-9]{36}|\bSG\.[\w-]{16,}\.[\w-]{16,}|"
    r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----|PuTTY-User-Key-File-\d|\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}|"
    r"(?i:\b(?:password|passwd|pwd|api[_-]?key|secret(?:[_-]?key)?|access[_-]?token)\s{0,3}[:=]\s{0,3}['\"]?[^\s'\"<>\[\]{}*]{6,})|"
    r"\b[a-z][a-z0-9+]{2,12}://[^\s/:@]{1,64}:[^\s/:@]{3,64}@"
)


def fault(_limits: Limits) -> pl.Expr:
    """True for every turn with something shaped like a credential.

    >>> from pipeline.turns import said
    >>> turns = said("customer: my password: hunter22", "agent: Never send your password.", "agent: AKIAIOSFODNN7EXAMPLE")
    >>> turns.select(fault(None)).to_series().to_list()
    [True, False, True]
    """
    return pl.col("text").str.contains(CREDENTIAL)
