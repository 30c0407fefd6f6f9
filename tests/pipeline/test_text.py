"""The text of a turn: markup, mojibake and control characters go, everything else stays."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.text import TextFormat, clean


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("  Where is my order? \n", "Where is my order?"),
        ("a < b && c > d &lt;", "a < b && c > d &lt;"),
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("bell\x07 and\x00 nul", "bell and nul"),
        ("\x1b[31mred\x1b[0m alarm", "red alarm"),
        ("schÃ¶n, daÃŸ es geht", "schön, daß es geht"),
        ("itâ€™s late", "it\u2019s late"),
        ("cafe\u0301", "café"),
        ("family 👨‍👩‍👧 ok", "family 👨‍👩‍👧 ok"),
        ("مرحبا بالعالم", "مرحبا بالعالم"),
        ("“quoted” – ﬁne ％", "“quoted” – ﬁne ％"),  # noqa: RUF001  # people's own quotes and letters stay
        ("", ""),
        ("\x00 \n", ""),
    ],
)
def test_plain_text_is_repaired_and_otherwise_left_alone(raw: str, text: str) -> None:
    assert clean(raw) == text


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        (
            "<div><p>Hi <b>there</b></p><p>two&nbsp;three &amp; <i>four</i><br>five</p></div>",
            "Hi there\n\ntwo three & four\nfive",
        ),
        ("<ul><li>one</li><li>two</li></ul>", "* one\n  * two"),
        ("<style>p {color: red}</style><script>track()</script><p>seen</p><!-- unseen -->", "seen"),
        ('<img src="https://t.example/pixel.gif" alt="logo">text', "text"),
        ("5 &lt; 6", "5 < 6"),
        ("broken <p>never closed", "broken\n\nnever closed"),
        ("no markup at all", "no markup at all"),
        ("<br>", ""),
        ("<!-- nothing -->", ""),
        ("<p>Stra\u00c3\u0178e</p>", "Straße"),
    ],
)
def test_html_becomes_what_a_browser_shows(markup: str, text: str) -> None:
    assert clean(markup, "html") == text


@pytest.mark.parametrize(
    ("raw", "text_format", "text"),
    [
        ("it isn&#39;t &quot;late&quot;", "escaped", 'it isn\'t "late"'),
        ("it isn&amp;#39;t &amp;quot;late&amp;quot;", "escaped", 'it isn\'t "late"'),
        ("a &lt;b&gt; c, AT&T & Co", "escaped", "a <b> c, AT&T & Co"),
        ("<p>size &amp;lt; 5 &amp;amp; more</p>", "html", "size < 5 & more"),
        ("AT&T &notaword; &", "escaped", "AT&T &notaword; &"),
    ],
)
def test_entities_go_also_where_they_were_escaped_twice(raw: str, text_format: TextFormat, text: str) -> None:
    assert clean(raw, text_format) == text


@pytest.mark.parametrize(
    ("post", "text"),
    [
        ('[quote="jo, post: 81, member: 3"]Why does it leak?[/quote]\nWax the [B]seam[/B].', "Wax the seam."),
        ("[QUOTE=jo;81][QUOTE=kim]Where?[/QUOTE]Here?[/QUOTE]There", "There"),
        ("[quote=&quot;jo&quot;:2x8s9d1k]Why?[/quote:2x8s9d1k]See [b:2x8s9d1k]below[/b:2x8s9d1k]", "See below"),
        (
            "[url=https://example.com/wax]This wax[/url] or [url]https://example.com/oil[/url]",
            "This wax or https://example.com/oil",
        ),
        ("[code]a[i] = b[1][b]\n[/code][img]https://example.com/a.png[/img]", "a[i] = b[1][b]"),
        ("[list:1a2b3c][*:1a2b3c]one[/*:m:1a2b3c][*:1a2b3c]two[/*:m:1a2b3c][/list:u:1a2b3c]", "- one\n- two"),
        ("[color=#ff0000]Red[/color]<br />&amp; [size=150]large[/size] &lt;tag&gt;", "Red\n& large <tag>"),
        ("[quote=jo]never closed\nWax it", "never closed\nWax it"),
        ("[USER=3]@jo[/USER] takes x[i], [5] and [sic]", "@jo takes x[i], [5] and [sic]"),
        ("Nothing of it: 3 < 4 && a[b] &copy=1", "Nothing of it: 3 < 4 && a[b] &copy=1"),
        ("[quote]only somebody else's[/quote]", ""),
    ],
)
def test_posts_of_forums_lose_their_tags_and_what_they_quote(post: str, text: str) -> None:
    assert clean(post, "bbcode") == text


@given(st.text(alphabet="[]/=:*bquotecdelis \n<>&;12"))
def test_any_text_may_be_declared_bbcode(text: str) -> None:
    clean(text, "bbcode")


@given(st.text())
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@given(st.text())
def test_any_text_may_be_declared_html(text: str) -> None:
    assert "\x00" not in clean(text, "html")


def test_html_nested_without_end_is_still_read() -> None:
    assert "deep" in clean("<div>" * 20_000 + "deep", "html")


def test_a_long_text_takes_no_longer_than_it_must() -> None:
    begun = time.process_time()

    clean("é" + "word " * 60_000)

    assert time.process_time() - begun < 5


@pytest.mark.parametrize(
    "quotation",
    [
        '<aside class="quote no-group"><div class="title">jo:</div><blockquote><p>Why?</p></blockquote></aside>',
        "<blockquote><div><cite>jo wrote:</cite>Why?</div></blockquote>",
        '<blockquote class="uncited"><div>Why?</div></blockquote>',
        '<blockquote class="bbCodeBlock bbCodeBlock--quote"><div>jo said:</div>Why?</blockquote>',
        '<div class="bbcode_container"><div class="bbcode_quote"><div>Originally posted by jo</div>Why?</div></div>',
        '<div class="quoteheader">Quote from: jo</div><blockquote class="bbc_standard_quote">Why?</blockquote>',
    ],
)
def test_what_a_post_quotes_is_not_its_own(quotation: str) -> None:
    assert clean(f"<p>Hi.</p>{quotation}<p>Because.</p>", "html").split() == ["Hi.", "Because."]


def test_a_quotation_that_names_nobody_may_be_what_the_author_shows() -> None:
    assert clean("<blockquote><p>Error 5</p></blockquote><p>What is that?</p>", "html") == "Error 5\n\nWhat is that?"
    assert clean("<blockquote><cite>Rule 4</cite> says no refund</blockquote>", "html") == "Rule 4 says no refund"
    assert clean('<p>a</p><aside class="onebox">mine</aside>', "html").split() == ["a", "mine"]
    assert clean("use <aside> for notes</aside> [b]too[/b]", "bbcode").split() == ["use", "<aside>", "for", "notes", "too"]


def test_a_quotation_that_nobody_closed_takes_nothing_with_it() -> None:
    post = '<p>a</p><blockquote class="bbCodeBlock--quote">Why?<p>My order 44 is late.'
    assert clean(post, "html").split() == ["a", "Why?", "My", "order", "44", "is", "late."]


def test_of_a_previewed_page_its_address_stays() -> None:
    preview = '<aside class="onebox" data-onebox-src="https://example.com/a"><header>Example</header><h3>All of it</h3></aside>'

    assert clean(f"<p>See {preview}, please</p>", "html") == "See https://example.com/a, please"


@pytest.mark.parametrize(
    ("stored", "text"),
    [
        ("<t>5 &lt; 6 &amp; more</t>", "5 < 6 & more"),
        (
            '<r><QUOTE author="jo"><s>[quote=jo]</s>Why?<e>[/quote]</e></QUOTE>\n\nBecause <B><s>[b]</s>so<e>[/b]</e></B></r>',
            "Because so",
        ),
        ('<r>See <URL url="https://example.com">https://example.com</URL><br/>\nnow</r>', "See https://example.com\nnow"),
        ("<r><CODE><s>[code]</s>a[i] &lt; 5<e>[/code]</e></CODE></r>", "a[i] < 5"),
    ],
)
def test_a_post_as_phpbb_and_flarum_store_it_is_what_its_author_wrote(stored: str, text: str) -> None:
    assert clean(stored, "bbcode") == text
