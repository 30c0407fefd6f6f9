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
    "crypt hash": r"\$(?:apr1|[1256y]|2[aby]|argon2id?)\$[\w./$=,+-]{16,200}",
    "key alone": r"\A\s*\K(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{128})(?=\s*\Z)",
    "password file of PostgreSQL": r"(?m:^)[^:\s]{1,100}:\d{2,5}:[^:\s]{1,100}:[^:\s\d][^:\s]{0,99}:\K\S{1,200}",
    "netrc": r"\blogin\s{1,9}\S{1,100}\s{1,9}password\s{1,9}\K\S{1,200}",
    "authorization header": r"\b(?:Bearer|Basic)\s+\K[\w.~+/=-]{16,4000}",
    "password in a URL": r"\b[a-z][a-z0-9+.-]{1,20}://[^\s:/'\"]{0,100}:\K[^\s/'\"]{1,200}(?=@[\w.-])",
}

_ASSIGNED: Final = (
    r"(?:[\w.-]{0,40}?(?:password|passwd|passwort|kennwort|pwd|passphrase|secret|api[_ -]?key|private[_-]?key|master[_-]?key"
    r"|auth[_ -]?key|encryption[_ -]?key|access[_-]?token|auth[_-]?token|oauth[_-]?token|token|credentials?|app[_-]?key|encrypted"
    r"|salt)(?:[_.-]?(?!file|field|path|url|hint|policy|length|type|name|changed|expires|count|last|set)\w{0,30}))"
    r"|(?<![a-z])(?:pass|auth|_auth)|[\w.-]{0,40}_pass"
)
"""Names of settings whose value is a secret; a user's name for it may stand around."""

_VALUE: Final = (
    r"""(?!["'](?i:true|false|null|none)["'])(?:"[^"\n]{4,200}"|'[^'\n]{4,200}'"""
    r"""|(?!(?i:null|none|true|false|nil|process|env|your|the|my|is|was|it)\b|\$\w|<)[^\s,;<>()"'{}]{4,200})"""
)

_SAID: Final = (
    r"\b(?:pass ?word|pass ?phrase|pwd|passwort|pass ?code|log-?in|kennwort|mot de passe|contraseña|wachtwoord|senha"
    r"|(?:temporary|new) one"
    r"|(?:wpa|wi-?fi) key)\s*(?:(?:for|to|on|of|at)\s+(?:\w+\s+){1,4})?"
    r"(?:is|was|ist|est|es|è|é|lautet|=|:|->)+\s*(?:now\s+|currently\s+|set to\s+)?[\"'“‘]?\K"  # noqa: RUF001  # quotes people type
    r"(?=[^\s\"'”’]*[\d!@#$%^&*_+~?-][^\s\"'”’]*)[^\s\"'”’,]{4,64}(?<![.!?])"  # noqa: RUF001
)

_KEY_SAID: Final = (
    r"\b(?:(?:api|access|secret|private|app|application|client|auth|bearer|deploy|webhook)[ -]?(?:key|token|secret)"
    r"|(?:key|token) (?:is|was))\b(?:\s*(?:is|was|=|:|we use|i use|called|namely|now))*\s*[\"'`“‘(]?\K"  # noqa: RUF001  # quotes people type
    r"(?=[\w.~+/-]{0,80}\d)(?=[\w.~+/-]{0,80}[A-Za-z])[A-Za-z0-9][\w.~+/-]{10,200}(?<![.])"
)


def recognizers(language: str, _countries: Sequence[str]) -> list[EntityRecognizer]:
    """Tokens of known form as SECRET, everything said or assigned as PASSWORD."""
    tokens = [Pattern(name, regex, 0.95) for name, regex in _TOKENS.items()]
    said = [
        Pattern("said", rf"(?i:{_SAID})", 0.8),
        Pattern("key said", rf"(?i:{_KEY_SAID})", 0.8),
        Pattern("assigned", rf"(?i:(?<![\w-])[\"']?(?:{_ASSIGNED})[\"']?\s{{0,9}}(?:=>|:=|=|:)\s{{0,9}})\K{_VALUE}", 0.7),
        Pattern(
            "assigned by a blank", rf"(?i:(?<![\w-])(?:{_ASSIGNED})[ \t]{{1,9}})\K(?:\"[^\"\n]{{4,200}}\"|'[^'\n]{{4,200}}')", 0.7
        ),
        Pattern("XML", rf"(?i:<(?:{_ASSIGNED})(?:\s[^<>]{{0,100}})?>)\K[^<>\n]{{3,200}}(?=</)", 0.7),
    ]
    return [
        PatternRecognizer("SECRET", "SecretRecognizer", language, tokens, global_regex_flags=16),  # DOTALL, case matters
        PatternRecognizer("PASSWORD", "PasswordRecognizer", language, said, global_regex_flags=0),
    ]
