"""What people wrote stays; what programs, companies and others put around it goes."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.mail.cleaning import clean_mail
from pipeline.mail.markup import mail_to_text
from tests.mails import Labelled, built, fresh, whole

LABELLED = [*built(), *whole()]


GMAIL = (
    '<p>Yes</p><div class="gmail_quote">On 5 Jan 2026 at 12:00 Jo &lt;jo@example.com&gt; wrote:'
    '<blockquote class="gmail_quote">Hi<br>you</blockquote></div>'
)


def stays(mail: Labelled) -> list[str]:
    return [line.strip() for label, line in mail.lines if label != "-" and line.strip()]


@pytest.mark.parametrize("mail", LABELLED, ids=lambda mail: mail.name)
def test_of_a_labelled_mail_exactly_its_authors_words_stay(mail: Labelled) -> None:
    left = [line.strip() for line in clean_mail(mail.text).text.split("\n") if line.strip()]

    assert left == stays(mail)


def test_of_fresh_mails_at_most_four_percent_of_the_wanted_and_two_of_the_unwanted_lines_are_misjudged() -> None:
    wanted = lost = unwanted = left = 0
    for mail in fresh():
        lines = {line.strip() for line in clean_mail(mail.text).text.split("\n")}
        wanted += sum(map(len, mail.labelled("+")))
        lost += sum(len(line) for line in mail.labelled("+") if line not in lines)
        unwanted += sum(map(len, mail.labelled("-")))
        left += sum(len(line) for line in mail.labelled("-") if line in lines)

    assert lost / wanted <= 0.04
    assert left / unwanted <= 0.02


@pytest.mark.parametrize(
    "text",
    [
        "These are missing:\n- the lamp\n- two screws",
        "On Monday we wrote:\nplease call us. Nobody called.",
        "On 5 January 2026 at 12:00 you wrote:\nit comes tomorrow.",
        "From: Berlin\nTo: Hamburg\nDate: 5 May 2026 14:30\nPlease change this journey.",
        "I typed:\n>>> import lamps\nand it failed.",
        "The ratio is\n> 5\nthat is all.",
        "Line one\n-----\nLine two\n_____\nLine three",
        "Is this e-mail confidential? Should I delete the message that I got by mistake?",
        "Thanks,\nJo\n\nPS: call me at +44 20 5550 1234 when it is there.",
        "--\nA long paragraph below two dashes." + " It goes on and on, for it is no signature." * 40,
        "Sent from my old address it came back.",
    ],
)
def test_real_text_that_looks_like_the_frame_of_a_mail_stays(text: str) -> None:
    assert clean_mail(text).text == text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (
            "Money back please.\n\nOn Tue, Jan 6, 2026 at 9:14 AM, Desk<desk@example.com> wrote:   Tell us why.\nRegards",
            "Money back please.",
        ),
        ("Cancel it.\n\nJo Fox | Buyer | Fenwick Ltd\nT: 555-0101 | www.example.com", "Cancel it."),
    ],
    ids=["a header and its history in one line", "a visiting card without a closing formula"],
)
def test_what_programs_and_companies_write_in_other_shapes_goes_too(text: str, left: str) -> None:
    assert clean_mail(text).text == left


@pytest.mark.parametrize(
    "text",
    [
        "My details:\n\nJo Fox | Buyer | Fenwick Ltd\nT: 555-0101 | www.example.com",
        "Which of them is right?\n\nJo Fox | 555-0101\nKim Roe | 555-0102",
        "Hello\n\nOn Monday your colleague wrote: send the tent back, which I did.",
        "Jo Fox | Buyer | Fenwick Ltd\nT: 555-0101 | www.example.com",
    ],
)
def test_what_may_be_an_answer_or_a_tale_stays(text: str) -> None:
    assert clean_mail(text).text == text


def test_a_forwarded_mail_is_content() -> None:
    text = "See below.\n\nFrom: Jo Fox <jo@example.com>\nSent: Monday, 5 January 2026 12:00\nTo: Sam\nSubject: Lamp\n\nIt broke."

    assert clean_mail(text).text == "See below."
    assert clean_mail(text, is_forward=True).text == text


def test_tracking_goes_from_links_and_the_links_stay() -> None:
    text = "See https://example.com/a?utm_source=mail&id=7&utm_medium=x and https://example.com/b?utm_source=mail"

    assert clean_mail(text).text == "See https://example.com/a?id=7 and https://example.com/b"


def test_what_went_is_counted_by_kind_in_characters() -> None:
    result = clean_mail("Hello\n\nSent from my iPhone\n\nOn 5 Jan 2026, at 12:00, Jo <jo@example.com> wrote:\n> Hi\n> there")

    assert result.text == "Hello"
    assert result.removed["footer"] == len("Sent from my iPhone")
    assert result.removed["quoted"] > 50


@pytest.mark.parametrize("mail", [*LABELLED[::7], *fresh()], ids=lambda mail: mail.name)
def test_cleaning_twice_is_cleaning_once(mail: Labelled) -> None:
    once = clean_mail(mail.text).text

    assert clean_mail(once).text == once


@given(st.text(st.sampled_from("> -_:\nOn wrote5.1@<>FromSTtbjcé年"), max_size=400), st.booleans())
def test_every_line_that_stays_was_there_before(text: str, is_forward: bool) -> None:
    before = {line.strip() for line in text.split("\n")}

    assert {line.strip() for line in clean_mail(text, is_forward=is_forward).text.split("\n")} <= before | {""}


@pytest.mark.parametrize(
    "unit", ["On ", "a b ", "> ", "From: ", "wrote:\n", "_", "-- \n", "Sent from ", "[cid:", "http://a?utm_", "This e-mail is "]
)
def test_no_text_of_100_kilobytes_takes_more_than_five_seconds(unit: str) -> None:
    start = time.process_time()
    clean_mail(unit * (100_000 // len(unit)))

    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        (GMAIL, "Yes"),
        ('<p>Yes</p><blockquote type="cite"><p>Which one?</p><p>Blue?</p></blockquote><p>Blue</p>', "Yes\n\nBlue"),
        ('<p>Yes</p><blockquote style="margin-left:40px"><p>indented</p></blockquote>', "Yes\n\nindented"),
        ('<p>Yes</p><div class="gmail_signature">Jo Fox<br>Fox Ltd</div>', "Yes"),
    ],
)  # fmt: skip
def test_quotations_of_html_mails_are_told_by_their_markup(markup: str, text: str) -> None:
    assert [line.strip() for line in clean_mail(mail_to_text(markup)).text.split("\n") if line.strip()] == [
        line for line in text.split("\n") if line
    ]
