"""A turn still holds a credential after scrub: a key, a token, a private key, a password in the open.

Source: the prefixes their issuers document (AWS, GitHub, GitLab, Slack, Stripe, Google, npm, SendGrid; read November 2026),
RFC 7468 for private keys, RFC 7519 for JSON web tokens, crypt(5) for hashes. A password in the open counts when it is named as
one and holds a digit or a sign.
"""

from typing import Final

import polars as pl

from pipeline.rules.limits import Limits
from pipeline.turns import WRITTEN

ISSUED: Final = (
    r"(?:AKIA|ASIA)[A-Z0-9]{16}",
    r"gh[pousr]_[A-Za-z0-9]{36,}",
    r"github_pat_[A-Za-z0-9_]{40,}",
    r"glpat-[A-Za-z0-9_-]{20,}",
    r"xox[abeoprs]-[A-Za-z0-9_-]{10,}",
    r"[sr]k_(?:live|test)_[A-Za-z0-9]{16,}",
    r"AIza[A-Za-z0-9_-]{35}",
    r"npm_[A-Za-z0-9]{36}",
    r"SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}",
    r"eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}",
    r"[a-z][a-z0-9+]{2,12}://[!-.0-9;-?A-~]{1,64}:[!-.0-9;-?A-~]{3,64}@",
)
FILES: Final = (
    r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----",
    r"PuTTY-User-Key-File-[0-9]",
    r"\$(?:1|2[aby]|5|6|apr1|argon2id?)\$[A-Za-z0-9_./$=,-]{8,}",
)
NAMED: Final = (
    r"(?i:passw(?:or)?d|passphrase|passcode|pwd|pass|api[_-]?key|secret(?:[_-]?[a-z0-9]{1,10})?|token|auth)['\"]?[ \t]{0,3}"
    r"(?:=>|[:=])[ \t]{0,3}['\"]?(?:[!#-&(-)+-;=?-Z^-z|~]{3,40}[0-9!@#$%^&+=]|[0-9@#$%^&+=][!#-&(-;=?-Z^-z|~]{3,})"
)
CREDENTIAL: Final = rf"(?-u:\b)(?:{'|'.join(ISSUED)})|{'|'.join(FILES)}|{NAMED}"
"""ASCII classes throughout: with Unicode ones the pattern takes a second to compile."""

HINTS: Final = (
    *("akia", "asia", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat", "glpat-", "xox"),
    *("_live_", "_test_", "aiza", "npm_", "sg.", "eyj", "://", "begin", "putty", "$1$"),
    *("$2", "$5$", "$6$", "$apr1", "$argon2", "pass", "pwd", "key", "secret", "token"),
    *("auth",),
)
"""One of them stands in every credential: most texts have none and are passed over."""


def fault(_limits: Limits) -> pl.Expr:
    """True for every turn with something shaped like a credential.

    >>> from pipeline.turns import said
    >>> turns = said("customer: my password: hunter22", "agent: Never send your password.", "agent: AKIAIOSFODNN7EXAMPLE")
    >>> turns.select(fault(None)).to_series().to_list()
    [True, False, True]
    """
    return found()


def found() -> pl.Expr:
    """The same of any frame with `text` and `call`."""
    has_hint = WRITTEN.str.contains_any(list(HINTS), ascii_case_insensitive=True)
    return pl.when(has_hint).then(WRITTEN).str.contains(CREDENTIAL).fill_null(value=False)
