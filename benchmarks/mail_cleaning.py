"""How much of people's own words mail cleaning loses, and how much of everything else it leaves, beside two other strippers.

    python -m benchmarks.mail_cleaning [--venv FOLDER]

Over-strip: characters of wanted lines that are gone, of all wanted characters. Under-strip: characters of unwanted lines that
are left, of all unwanted ones. Closing formulas and the names below them count for nobody. Three sets: `built` (rules were
tuned on it), `whole` (rules were run on it, then mended: see docs/sources/mail_cleaning.md) and `fresh` (written and run
after the last change). The others run in an environment of their own, made here from pinned versions; mail-parser-reply is
told each mail's language, which our rules are not.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import venv
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

from pipeline.mail.cleaning import clean_mail
from pipeline.mail.markup import mail_to_text
from pipeline.mail.message import read_body, read_head
from tests.mails import Labelled, built, fresh, whole

ROOT: Final = Path(__file__).parents[1]
RESULTS: Final = ROOT / "benchmarks" / "results" / "mail_cleaning.json"
SHARED: Final = Path(os.environ.get("TICKETMILL_SHARED", ROOT.parent / "shared"))
PINNED: Final = {"mail-parser-reply": "1.36", "email-reply-parser": "0.5.12"}

OTHERS: Final = """
import json, sys
from email_reply_parser import EmailReplyParser as Zapier
from mailparser_reply import EmailReplyParser as Rausys
def rausys(text, language):
    replies = Rausys(languages=[language]).read(text).replies
    return replies[0].body if replies else ""
mails = json.load(sys.stdin)
json.dump({
    "mail-parser-reply": [rausys(text, language) for text, language in mails],
    "email-reply-parser": [Zapier.parse_reply(text) for text, _ in mails],
}, sys.stdout)
"""


def main() -> None:
    """Measure, print, and write the results."""
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("--venv", type=Path, help="where the others are installed; a temporary folder if not given")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        python = _environment(given.venv or Path(temporary) / "others")
        results: dict[str, Any] = {"versions": PINNED, "sets": {}}
        for name, mails in (("built", list(built())), ("whole", list(whole())), ("fresh", list(fresh()))):
            outputs = {"ticketmill": [clean_mail(mail.text).text for mail in mails], **_others(python, mails)}
            results["sets"][name] = {
                "mails": len(mails),
                "strippers": {stripper: _rates(mails, texts) for stripper, texts in outputs.items()},
            }
            _print(name, results["sets"][name])
    results["email_replies"] = _fixtures()
    print(f"email_replies: {results['email_replies']['exact']} of {results['email_replies']['mails']} exactly the new text")
    RESULTS.write_text(json.dumps(results, indent=1, sort_keys=True, ensure_ascii=False) + "\n", "utf-8")


def _environment(folder: Path) -> Path:
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
        wanted = [f"{name}=={version}" for name, version in PINNED.items()]
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-deps", *wanted], check=True)
    return python


def _others(python: Path, mails: list[Labelled]) -> dict[str, list[str]]:
    given = json.dumps([(mail.text, mail.language) for mail in mails])
    done = subprocess.run([python, "-c", OTHERS], input=given, capture_output=True, text=True, check=True, timeout=300)
    return dict(json.loads(done.stdout))


def _rates(mails: Iterable[Labelled], texts: Iterable[str]) -> dict[str, dict[str, float]]:
    sums: dict[str, Counter[str]] = {}
    for mail, text in zip(mails, texts, strict=True):
        left = Counter(line.strip() for line in text.split("\n"))
        own = Counter(
            wanted=sum(map(len, mail.labelled("+"))),
            unwanted=sum(map(len, mail.labelled("-"))),
            lost=sum(map(len, _missing(mail.labelled("+"), left))),
        )
        unwanted = mail.labelled("-")
        own["left"] = sum(map(len, unwanted)) - sum(map(len, _missing(unwanted, left)))
        for name in (mail.language, "all"):
            sums.setdefault(name, Counter()).update(own)
    return {
        name: {"over": _share(each, "lost", "wanted"), "under": _share(each, "left", "unwanted")} for name, each in sums.items()
    }


def _missing(lines: list[str], left: Counter[str]) -> list[str]:
    """Those of the lines that are not among the ones left, each of which counts once."""
    missing = []
    for line in lines:
        if left[line] > 0:
            left[line] -= 1
        else:
            missing.append(line)
    return missing


def _share(sums: Counter[str], part: str, whole_: str) -> float:
    return round(sums[part] / sums[whole_], 4) if sums[whole_] else 0.0


def _print(name: str, result: dict[str, Any]) -> None:
    strippers = result["strippers"]
    print(f"\n{name}: {result['mails']} mails, over-strip % / under-strip %")
    print("      " + "".join(f"{stripper:>24}" for stripper in strippers))
    for language in sorted(strippers["ticketmill"], key=lambda each: each == "all"):
        cells = (strippers[stripper][language] for stripper in strippers)
        print(f"  {language:<4}" + "".join(f"{100 * cell['over']:>14.1f} / {100 * cell['under']:>5.1f}  " for cell in cells))


def _fixtures() -> dict[str, int]:
    """The mails of talon's tests: what their upstream tests expect is "Hello", or a reply of three lines."""
    folder = SHARED / "data" / "ingest_formats" / "email_replies"
    exact = mails = 0
    read: dict[str, Callable[[Path], str]] = {"eml": _eml, "html": lambda path: mail_to_text(path.read_text("utf-8", "replace"))}
    for path in sorted([*folder.glob("eml/*.eml"), *folder.glob("html_replies/*.html")]):
        if path.stem == "reply-quotations-share-block":
            continue  # upstream says nothing of its text
        text = " ".join(clean_mail(read[path.suffix[1:]](path)).text.split())
        mails += 1
        exact += text in {"Hello", "Hi. I am fine. Thanks, Alex"}
    return {"exact": exact, "mails": mails}


def _eml(path: Path) -> str:
    message, _ = read_head(path.read_bytes())
    body = read_body(message)
    return mail_to_text(body.text) if body.is_html else body.text


if __name__ == "__main__":
    sys.exit(main())
