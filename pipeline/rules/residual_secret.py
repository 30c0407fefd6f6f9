"""A turn still holds a credential after scrub: a key, a token, a private key, a password in the open.

Source: the prefixes their issuers document (AWS, GitHub, GitLab, Slack, Stripe, Google, npm, SendGrid; read November 2026),
RFC 7468 for private keys, RFC 7519 for JSON web tokens, crypt(5) for hashes. A password in the open counts when it is named as
one and holds a digit or a sign.
"""

from typing import Final

import polars as pl

from pipeline.rules.limits import Limits

CREDENTIAL: Final = (
    r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36,}|\bgithub_pat_\w{40,}|\bglpat-[\w-]{20,}|\bxox[abeoprs]-[\w-]{10,}|"
    r"\b[sr]k_(?:live|test)_[A-Za-z0-9]{16,}|\bAIza[\w-]{35}|\bnpm_[A-Za-z0-9]{36}|\bSG\.[\w-]{16,}\.[\w-]{16,}|"
    r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----|PuTTY-User-Key-File-\d|\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}|"
    r"\$(?:1|2[aby]|5|6|apr1|argon2id?)\$[\w./$=,-]{8,}|"
    r"(?i:(?:passw(?:or)?d|passphrase|passcode|pwd|pass|api[_-]?key|apikey|secret(?:[_-]?\w{1,10})?|token|auth)['\"]?\s{0,3}"
    r"(?::|=>|=)\s{0,3}['\"]?(?:[^\s'\"<>\[\]{}*]{3,40}[0-9!@#$%^&+=]|[0-9@#$%^&+=][^\s'\"<>\[\]{}]{3,}))|"
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
