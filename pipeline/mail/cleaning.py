"""What the author of a mail wrote, without what a program, a company or somebody else put around it.

Line by line, in the order of the text: a reply header or a header block opens quoted history, "> " lines are quoted wherever
they stand, a forward and all below it is content. Then from the end upwards: footers of programs, disclaimers, signatures.
A closing formula and the name below it are the author's words and stay. Every rule needs more than one piece of evidence;
where it has less, the text stays.

Measured per language by benchmarks/mail_cleaning.py.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qs, urlsplit

from pipeline.mail import phrases

MAX_HEADER_GAP: Final = 40
"""Characters between the verb of a reply header and its colon."""
MAX_CARD_LINES: Final = 6
MAX_HEADER_LINES: Final = 4
"""Lines over which clients wrap a reply header."""
MAX_HEADER_CHARACTERS: Final = 400
MAX_SIGNATURE_LINES: Final = 15
MAX_SIGNATURE_CHARACTERS: Final = 1200
MAX_LINE: Final = 600
"""Longer lines are prose: no rule but the one for disclaimers looks at them."""
MIN_DISCLAIMER: Final = 40
MAX_DISCLAIMER_LINES: Final = 60
MAX_TAILS: Final = 12
"""Footers, disclaimers and signatures one above the other."""
STEMS_ALONE: Final = 3
STEMS_WITH_OPENING: Final = 2

_QUOTED: Final = re.compile(r"^\s{0,3}(?:>|\|\s|&gt;)")
_PROMPT: Final = re.compile(r"^>>> ?\w")
_BARRED: Final = re.compile(r"\S\s?[|·•]\s?\S")
_DELIMITER: Final = re.compile(r"^--[ \u00a0]?$")
_WORDS: Final = re.compile(r"\w+")
_DIRECTIONS: Final = dict.fromkeys((0x200E, 0x200F, *range(0x202A, 0x202F)))
_SAFELINK: Final = re.compile(r"https://\w+\.safelinks\.protection\.outlook\.com/\?[^\s<>)\]]+")
_WIDE: Final = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")


@dataclass
class Cleaned:
    """The text that stays, and how many characters of each kind went."""

    text: str
    removed: dict[str, int] = field(default_factory=dict)

    def take(self, kind: str, lines: Sequence[str]) -> None:
        """Count lines that went."""
        number = sum(len(line.strip()) for line in lines)
        if number:
            self.removed[kind] = self.removed.get(kind, 0) + number


def clean_mail(text: str, *, is_forward: bool = False) -> Cleaned:
    """The author's own words of a mail.

    Args:
        text: plain text; of an HTML mail what `pipeline.mail.markup` makes of it.
        is_forward: the mail's subject says that it hands on another one: nothing below the author's words is cut.
    """
    result = Cleaned(text)
    lines = [line.rstrip() for line in text.replace("\r\n", "\n").replace("\u200b", "").split("\n")]
    own, below = _own_lines(lines, is_forward, result)
    own = _without_head(own, result)
    own = _without_tail(own, result)
    kept = "\n".join([*own, *(["", *below] if below and own else below)])
    result.text = _links(re.sub(r"\n{3,}", "\n\n", kept).strip("\n"), result).strip()
    return result


def _own_lines(  # noqa: C901, PLR0911, PLR0912  # one branch per thing a line may begin
    lines: Sequence[str], is_forward: bool, result: Cleaned
) -> tuple[list[str], list[str]]:
    """The lines that are not history, and those of a forwarded mail below them."""
    quoted = _quoted(lines)
    own: list[str] = []
    at = 0
    while at < len(lines):
        line = lines[at]
        if quoted[at]:
            result.take("quoted", [line])
            at += 1
        elif len(line) > MAX_LINE or not line.strip():
            own.append(line)
            at += 1
        elif phrases.FORWARDED.match(line):
            return own, list(lines[at:])
        elif phrases.REPLY_ABOVE.match(line):
            if any(each.strip() for each in own):
                result.take("boilerplate", [line])
                result.take("quoted", lines[at + 1 :])
                return _without_bar(own), []
            result.take("boilerplate", [line])
            at += 1
        elif phrases.ORIGINAL.match(line) or _is_header_block(lines, at):
            if is_forward or not any(each.strip() for each in own):
                return own, list(lines[at:])
            result.take("quoted", lines[at:])
            return _without_bar(own), []
        elif _begins_history(line) and not is_forward and any(each.strip() for each in own):
            result.take("quoted", lines[at:])
            return _without_bar(own), []
        elif header := _reply_header(lines, quoted, at):
            is_sure, size = header
            after = next((each for each in range(at + size, len(lines)) if lines[each].strip()), len(lines))
            if after < len(lines) and quoted[after]:
                result.take("quoted", lines[at : at + size])
                at += size
            elif is_sure and any(each.strip() for each in own) and not is_forward:
                result.take("quoted", lines[at:])
                return _without_bar(own), []
            else:
                own += lines[at : at + size]
                at += size
        else:
            own.append(line)
            at += 1
    return own, []


def _begins_history(line: str) -> bool:
    """Whether a reply header beyond doubt stands in one line with what it introduces, as programs write that lose line breaks."""
    verb = phrases.WROTE.search(line)
    header, colon, history = line[verb.end() :].partition(":") if verb else ("", "", "")
    if verb is None or not colon or not history.strip() or len(header) > MAX_HEADER_GAP:
        return False
    before = line[: verb.end()].strip(" *_\u00a0")
    evidence = (phrases.LEAD.match, phrases.DATE.search, phrases.TIME.search, phrases.ADDRESS.search)
    return not phrases.SOMEBODY_WROTE.search(before) and all(find(before) for find in evidence)


def _quoted(lines: Sequence[str]) -> list[bool]:
    """Which lines are quotations: marked lines, unless there is one alone that no reply header introduces, or nothing else."""
    marked = [_QUOTED.match(line) is not None and not _PROMPT.match(line) for line in lines]
    if not any(marked):
        return marked
    if all(marked[at] or not line.strip() for at, line in enumerate(lines)):
        return [False] * len(lines)  # nothing but a quotation without any header: it may be how the author set the text
    begins = [at for at, is_marked in enumerate(marked) if is_marked and not (at and marked[at - 1])]
    for begin in begins:
        end = next((at for at in range(begin, len(lines)) if not marked[at]), len(lines))
        above = next((at for at in range(begin - 1, -1, -1) if lines[at].strip()), -1)
        is_alone = end - begin == 1 and sum(marked) == 1
        if is_alone and not (above >= 0 and lines[above].rstrip(" *_").endswith((":", "："))):  # noqa: RUF001  # as typed in Japan
            marked[begin] = False
    return marked


def _reply_header(  # noqa: PLR0911  # each return is one thing that makes it none
    lines: Sequence[str], quoted: Sequence[bool], at: int
) -> tuple[bool, int] | None:
    """Whether a header such as "On ... wrote:" begins here: if it is one beyond doubt, and its number of lines."""
    for size in range(1, MAX_HEADER_LINES + 1):
        if at + size > len(lines):
            return None
        last = lines[at + size - 1].strip(" *_\u00a0")
        if quoted[at + size - 1] or not last:
            return None
        if not last.endswith((":", "：")):  # noqa: RUF001
            continue
        joined = " ".join(line.strip(" *_\u00a0") for line in lines[at : at + size])
        if len(joined) > MAX_HEADER_CHARACTERS:
            return None
        is_followed = _is_followed(lines, quoted, at + size)
        verdict = _judged(joined, is_followed)
        if verdict is None:
            return None
        if size > 1 and _begins_later(lines, at, size, is_followed):
            return None
        return verdict, size
    return None


def _begins_later(lines: Sequence[str], at: int, size: int, is_followed: bool) -> bool:
    """Whether fewer lines make the same header: those above them are the author's."""
    for skip in range(1, size):
        rest = " ".join(line.strip(" *_\u00a0") for line in lines[at + skip : at + size])
        if _judged(rest, is_followed) and phrases.LEAD.match(rest):
            return True
    first = lines[at].strip(" *_\u00a0")
    return phrases.LEAD.match(first) is None and not phrases.ADDRESS.search(first) and not phrases.WROTE.search(first)


def _is_followed(lines: Sequence[str], quoted: Sequence[bool], at: int) -> bool:
    after = next((each for each in range(at, len(lines)) if lines[each].strip()), -1)
    return after >= 0 and quoted[after]


def _judged(joined: str, is_followed: bool) -> bool | None:
    """True for a reply header beyond doubt, False for one only because quoted lines follow, null for none."""
    has_date, has_time = phrases.DATE.search(joined), phrases.TIME.search(joined)
    has_address, has_verb = phrases.ADDRESS.search(joined), phrases.WROTE.search(joined)
    is_told = phrases.SOMEBODY_WROTE.search(joined)
    if has_date and not is_told and ((has_verb and (has_time or has_address)) or (has_time and has_address)):
        return True
    if is_followed and (has_verb or has_address or (has_date and has_time)) and not (is_told and not has_date):
        return False
    return None


def _is_header_block(lines: Sequence[str], at: int) -> bool:
    """Whether the header of a mail begins here: its sender, and two more of time, receiver and subject.

    A block needs an address or a time of day beside a subject: "From: Berlin, To: Hamburg, Date: 5 May" is a journey.
    """
    if phrases.UNDERSCORES.match(lines[at]):
        at = next((each for each in range(at + 1, min(at + 3, len(lines))) if lines[each].strip()), at)
    found: dict[str, str] = {}
    says_sent = False
    blanks = others = 0
    first = phrases.FIELD.match(_visible(lines[at]))
    if first is None or phrases.ROLE_OF.get(first[1].casefold()) not in {"from", "sent", "subject"}:
        return False
    for line in lines[at : at + 16]:
        match = phrases.FIELD.match(_visible(line))
        role = phrases.ROLE_OF.get(match[1].strip().casefold()) if match else None
        if match and role:
            found.setdefault(role, match[2])
            says_sent = says_sent or match[1].strip().casefold() in phrases.SENT
            blanks = others = 0
        elif not line.strip():
            blanks += 1
            if blanks > 1:
                break
        else:
            others += 1
            if others > 1 or blanks:
                break
    if "from" not in found:
        return False
    has_address = any(phrases.ADDRESS.search(found.get(role, "")) for role in ("from", "to"))
    has_moment = bool(re.search(r"\d", found.get("sent", "")))
    is_timed = phrases.TIME.search(found.get("sent", "")) is not None
    if len(found.keys() & {"from", "sent", "to", "subject"}) >= 3:  # noqa: PLR2004  # the sender and two more
        return has_address or (is_timed and (says_sent or "subject" in found))
    return has_address and has_moment


def _visible(line: str) -> str:
    """A line without the marks of direction that Windows puts into dates."""
    return line[:MAX_LINE].translate(_DIRECTIONS)


def _without_bar(own: list[str]) -> list[str]:
    while own and (not own[-1].strip() or phrases.BAR.match(own[-1])):
        own.pop()
    return own


def _without_head(own: list[str], result: Cleaned) -> list[str]:
    """Without the warnings of a mail server above the text."""
    at = next((each for each, line in enumerate(own) if line.strip()), len(own))
    while at < len(own) and len(own) > at + 1:
        line = own[at].strip()
        is_plain_word = line[:1].isalnum() and len(_WORDS.findall(line)) <= 4  # noqa: PLR2004  # "Attention" may be how somebody begins
        if not phrases.BANNER.match(line) or is_plain_word:
            break
        end = next((each for each in range(at, len(own)) if not own[each].strip()), at + 1)
        if end >= len(own):
            break
        result.take("boilerplate", own[at:end])
        own = own[end:]
        at = next((each for each, line in enumerate(own) if line.strip()), len(own))
    return own


def _without_tail(own: list[str], result: Cleaned) -> list[str]:
    """Without footers, disclaimers and signatures at the end, one after another, as long as there is one."""
    for _ in range(MAX_TAILS):
        before = len(own)
        own = _without_bar(own)
        for kind, cut in (("footer", _footer), ("disclaimer", _disclaimer), ("signature", _signature)):
            start = cut(own)
            if start < len(own):
                result.take(kind, own[start:])
                own = _without_bar(own[:start])
        if len(own) == before:
            break
    return own


def _footer(own: Sequence[str]) -> int:
    if not own or len(own[-1]) > MAX_LINE:
        return len(own)
    for size in (1, 2):
        if size == 2 and not own[-1].lstrip(" <(").startswith("http"):  # noqa: PLR2004  # the address of the program below its name
            break
        joined = _joined(own[-size:])
        if len(joined) <= 250 and (phrases.MOBILE.match(joined) or phrases.PROMOTION.match(joined)):  # noqa: PLR2004  # a footer is a line
            return len(own) - min(size, len(own))
    return len(own)


def _disclaimer(own: Sequence[str]) -> int:
    """Where the disclaimer at the end begins: at a line that opens one, for the author's words may stand right above it."""
    start = max(len(own) - MAX_DISCLAIMER_LINES, 0)
    start = next((at + 1 for at in range(len(own) - 1, start - 1, -1) if not own[at].strip()), start)
    paragraph = _joined(own[start:])
    if not paragraph:
        return len(own)
    if len(own[-1]) <= 300 and phrases.PRINTING.match(own[-1]):  # noqa: PLR2004  # one or two lines
        return len(own) - 1
    for at in range(start, len(own)):
        if phrases.DISCLAIMER.match(own[at]) and _is_disclaimer(_joined(own[at:]), STEMS_WITH_OPENING):
            return at
    return start if phrases.STEMS.search(own[start]) and _is_disclaimer(paragraph, STEMS_ALONE) else len(own)


def _joined(lines: Sequence[str]) -> str:
    return " ".join(line.strip() for line in lines)


def _is_disclaimer(text: str, needed: int) -> bool:
    size = len(text) * (2 if _WIDE.search(text) else 1)
    if size < MIN_DISCLAIMER or text.rstrip().endswith(("?", "？")) or not phrases.MAIL_WORD.search(text):  # noqa: RUF001
        return False
    return len({match[0].casefold() for match in phrases.STEMS.finditer(text[:5000])}) >= needed


def _signature(own: Sequence[str]) -> int:
    for at in range(max(0, len(own) - MAX_SIGNATURE_LINES - 1), len(own)):
        if _DELIMITER.match(own[at]) and sum(map(len, own[at:])) <= MAX_SIGNATURE_CHARACTERS:
            return at
    for at in range(len(own) - 1, max(-1, len(own) - 13), -1):
        if phrases.SIGN_OFF.match(own[at][:200]):
            return _below_name(own, at)
    return _card(own)


def _card(own: Sequence[str]) -> int:
    """Where a last paragraph that is a visiting card begins: bars between its parts, a contact, and no sentence."""
    start = next((at + 1 for at in range(len(own) - 1, -1, -1) if not own[at].strip()), 0)
    above = next((own[at].rstrip() for at in range(start - 1, -1, -1) if own[at].strip()), ":")
    block = own[start:]
    if not 1 < len(block) <= MAX_CARD_LINES or above.endswith((":", "：", "?", "？")):  # noqa: RUF001  # it is what was asked for
        return len(own)
    has_bars = sum(_BARRED.search(line) is not None for line in block) * 2 >= len(block)
    is_card = has_bars and any(phrases.CONTACT.search(line) for line in block) and not any(_is_prose(line) for line in block)
    return start if is_card else len(own)


def _below_name(own: Sequence[str], sign_off: int) -> int:
    """Where the contact details below a closing formula and its name begin; the end where there are none."""
    name = next((at for at in range(sign_off + 1, len(own)) if own[at].strip()), len(own))
    start = name + 1
    if name < len(own) and phrases.CONTACT.search(own[name]):
        start = name
    block = [line for line in own[start:] if line.strip()]
    if not block or not any(phrases.CONTACT.search(line) for line in block):
        return len(own)
    if any(_is_prose(line) for line in block):
        return len(own)
    return start


def _is_prose(line: str) -> bool:
    bare = line.strip()
    if len(bare) > 120:  # noqa: PLR2004  # longer than a line of an address
        return True
    if re.match(r"(?i)p\.?\s?s\.?\b", bare) or bare.endswith(("?", "？", ":")):  # noqa: RUF001
        return True
    return bare.endswith((".", "!", "。")) and len(_WORDS.findall(bare)) > 6  # noqa: PLR2004  # a sentence


def _links(text: str, result: Cleaned) -> str:
    """Without the targets of tracked links, the parameters that track, and what stands for a picture."""
    if "http" not in text and "[" not in text:
        return text

    def original(match: re.Match[str]) -> str:
        try:
            return parse_qs(urlsplit(match[0]).query).get("url", [match[0]])[0]
        except ValueError:
            return match[0]

    shorter = _SAFELINK.sub(original, text)
    shorter = phrases.TRACKED.sub("", shorter)
    shorter = phrases.PARAMETER.sub("", shorter)
    shorter = re.sub(r"(https?://[^\s<>]{1,500}?)[?&](?=[\s<>)\]]|$)", r"\1", shorter)
    shorter = phrases.PICTURE.sub("", shorter)
    if len(shorter) < len(text):
        result.removed["tracking"] = result.removed.get("tracking", 0) + len(text) - len(shorter)
    return shorter
