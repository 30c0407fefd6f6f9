"""Credentials: keys and tokens of known form, private keys, connection strings, passwords announced in words.

Forms of tokens: https://github.com/Yelp/detect-secrets (plugins, version 1.5, Apache-2.0) and the prefixes that the
vendors document; each is anchored on its prefix, so that ordinary words cannot match.
"""

from collections.abc import Sequence
from typing import Final

from presidio_analyzer import EntityRecognizer, Pattern, PatternRecognizer

_TOKENS: Final = {
    "private key": r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----.{0,10000}?(?:-----END [A-Z0-9 ]{0,40}-----|\Z)",
    "PuTTY private key": r"PuTTY-User-Key-File-\d:.{0,10000}?Private-MAC: ?[0-9a-f]+",
    "JSON web token": r"\beyJ[\w-]{8,2000}\.[\w-]{4,4000}(?:\.[\w-]{0,2000})?",
    "AWS access key": r"\b(?:AKIA|ASIA|ABIA|ACCA|A3T[A-Z0-9])[A-Z0-9]{16}\b",
    "GitHub token": r"\b(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_\w{22,255})\b",
    "GitLab token": r"\bglpat-[\w-]{20,64}",
    "Slack token": r"\bxox[abeoprs]-[\w-]{10,200}",
    "Slack webhook": r"https://hooks\.slack\.com/services/[\w/]{20,100}",
    "Stripe key": r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{10,200}\b",
    "Google key": r"\bAIza[\w-]{35}",
    "Google OAuth": r"\b(?:ya29\.[\w-]{20,500}|GOCSPX-[\w-]{20,60})",
    "OpenAI or Anthropic key": r"\bsk-(?:ant-|proj-)?[\w-]{20,200}",
    "SendGrid key": r"\bSG\.[\w-]{16,32}\.[\w-]{16,64}",
    "Twilio key": r"\b(?:AC|SK)[0-9a-f]{32}\b",
    "npm token": r"\bnpm_[A-Za-z0-9]{36}\b",
    "PyPI token": r"\bpypi-[\w-]{50,500}",
    "Hugging Face token": r"\bhf_[A-Za-z0-9]{30,60}\b",
    "Discord token": r"\b[MNO][\w-]{23,25}\.[\w-]{6}\.[\w-]{27,38}",
    "Telegram bot token": r"\b\d{8,10}:AA[\w-]{33}",
    "Mailgun or Mailchimp key": r"\b(?:key-[0-9a-z]{32}|[0-9a-f]{32}-us\d{1,2})\b",
    "Azure storage key": r"AccountKey=\K[A-Za-z0-9+/=]{40,120}",
    "htpasswd or shadow hash": r"(?<=:)\$(?:apr1|[1256]|2[aby])\$[\w./$]{8,200}",
    "authorization header": r"\b(?:Bearer|Basic)\s+\K[\w.~+/=-]{16,4000}",
    "hash in URL userinfo": r"\b[a-z][a-z0-9+.-]{1,20}://[^\s:/@'\"]{0,100}:\K[^\s/@'\"]{1,200}(?=@)",
}

_ASSIGNED: Final = (
    r"(?:(?:[\w.-]{0,40}[_.-])?(?:password|passwd|passwort|pwd|passphrase|secret|api[_ -]?key|apikey|secret[_ -]?key"
    r"|access[_ -]?key|private[_ -]?key|auth[_ -]?key|encryption[_ -]?key|client[_ -]?secret|access[_ -]?token|auth[_ -]?token"
    r"|token|credentials?|app[_ -]?key|_auth|salt)(?:[_.-]\w{0,30})?)"
)
_VALUE: Final = (
    r"""(?:"[^"\n]{4,200}"|'[^'\n]{4,200}'"""
    r"""|(?!(?:null|none|true|false|nil|process|env|your|the|my|is|was|it)\b)[^\s,;<>()"'{}]{4,200})"""
)

_SAID: Final = (
    r"\b(?:pass ?word|pass ?phrase|pwd|passwort|pass ?code|log-?in|kennwort)\s*(?:(?:for|to|on|of|at)\s+(?:\w+\s+){1,4})?"
    r"(?:is|was|ist|lautet|=|:|->)+\s*(?:now\s+|currently\s+|set to\s+)?[\"'“‘]?\K"  # noqa: RUF001  # quotes people type
    r"(?=[^\s\"'”’]*[\d!@#$%^&*_+~?-][^\s\"'”’]*)[^\s\"'”’,]{4,64}(?<![.!?])"  # noqa: RUF001
)


def recognizers(language: str, _countries: Sequence[str]) -> list[EntityRecognizer]:
    """Tokens of known form as SECRET, everything said or assigned as PASSWORD."""
    tokens = [Pattern(name, regex, 0.95) for name, regex in _TOKENS.items()]
    said = [
        Pattern("said", rf"(?i:{_SAID})", 0.8),
        Pattern("assigned", rf"(?i:(?<![\w-])[\"']?{_ASSIGNED}[\"']?\s*(?:=>|:=|=|:)\s*)\K{_VALUE}", 0.7),
        Pattern("XML", rf"(?i:<{_ASSIGNED}>)\K[^<>\n]{{3,200}}(?=</)", 0.7),
    ]
    return [
        PatternRecognizer("SECRET", "SecretRecognizer", language, tokens, global_regex_flags=16),  # DOTALL, case matters
        PatternRecognizer("PASSWORD", "PasswordRecognizer", language, said, global_regex_flags=0),
    ]
