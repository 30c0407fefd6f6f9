"""XML as databases and forums dump it: elements become records, in bounded memory, and no entity is taken from a file."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import SourceError
from pipeline.reading.drafts import Limits, ReceivedFile, Row
from pipeline.reading.xml_records import ROOT, without_elements, wrapped_in, xml_records

POSTS = b"""\xef\xbb\xbf<?xml version="1.0" encoding="utf-8"?>
<posts>
  <row Id="1" Body="&lt;p&gt;Where &amp;gt; 5?&lt;/p&gt;&#xA;" Title="5 > 4" />
  <row Id="2" ParentId="1" Body="Here"/></posts>
"""
DUMP = b"""<?xml version="1.0"?>
<mysqldump><database name="desk">
  <table_structure name="posts"><field Field="id" Type="int"/></table_structure>
  <table_data name="posts">
    <row><field name="id">1</field><field name="text">Where is it?</field><field name="by" xsi:nil="true"/></row>
    <row><field name="id">2</field><field name="text"><![CDATA[On its <b>way</b>]]></field><field name="by">Jo</field></row>
  </table_data></database></mysqldump>
"""
ISSUES = b"""<rss><channel><title>Desk</title>
  <item><key id="7">D-7</key><comments><comment author="jo">One</comment><comment author="al">Two</comment></comments></item>
  <item><key id="8">D-8</key><comments><comment author="al">Three</comment></comments></item></channel></rss>
"""


def read(
    folder: Path, content: bytes, records: tuple[str, ...] = (), ignored: Collection[str] = (), most: int = 10**6
) -> list[dict[str, Any] | str]:
    """Every record, or the reason why it is none."""
    limits = Limits(max_row_bytes=most, max_unpacked_bytes=10**9, max_unpacked_ratio=100)
    found = xml_records(received(folder, content), 0, records, ignored, limits)
    return [each.reason if isinstance(each, Row) else each[2] for each in found]


def received(folder: Path, content: bytes) -> ReceivedFile:
    path = folder / "posts.xml"
    path.write_bytes(content)
    return ReceivedFile(path, "posts.xml")


def test_attributes_are_fields_with_their_references_resolved_once(tmp_path: Path) -> None:
    assert read(tmp_path, POSTS) == [
        {"Id": "1", "Body": "<p>Where &gt; 5?</p>\n", "Title": "5 > 4"},
        {"Id": "2", "ParentId": "1", "Body": "Here"},
    ]


def test_a_field_of_a_database_is_called_as_it_says_and_null_is_nothing(tmp_path: Path) -> None:
    assert read(tmp_path, DUMP, ("database", "table_data", "row"), ["table_structure", "name"]) == [
        {"id": "1", "text": "Where is it?", "by": ""},
        {"id": "2", "text": "On its <b>way</b>", "by": "Jo"},
    ]


def test_elements_in_a_record_are_records_and_a_list_where_one_comes_again(tmp_path: Path) -> None:
    assert read(tmp_path, ISSUES, ("channel", "item"), ["title"]) == [
        {
            "key": {"id": "7", "text": "D-7"},
            "comments": {"comment": [{"author": "jo", "text": "One"}, {"author": "al", "text": "Two"}]},
        },
        {"key": {"id": "8", "text": "D-8"}, "comments": {"comment": {"author": "al", "text": "Three"}}},
    ]


@pytest.mark.parametrize(
    ("content", "records", "beside"),
    [
        (POSTS, (), []),
        (DUMP, ("database", "table_data", "row"), ["name", "table_structure"]),
        (ISSUES, ("channel", "item"), ["title"]),
    ],
)
def test_where_the_records_stand_shows_in_what_holds_the_text(
    content: bytes, records: tuple[str, ...], beside: list[str], tmp_path: Path
) -> None:
    assert wrapped_in([content], received(tmp_path, content)) == (records, beside)


@pytest.mark.parametrize(
    ("content", "records", "name", "where"),
    [
        (b"<d><c><head>Jo Fox</head><row Id='1'/></c></d>", ("c", "row"), "head", "c.head"),
        (b"<d><c customer='Jo Fox'><row Id='1'/></c></d>", ("c", "row"), "customer", "c.customer"),
        (b"<d customer='Jo Fox'><row Id='1'/></d>", (), "customer", "customer"),
        (b"<d><c>Jo Fox <row Id='1'/></c></d>", ("c", "row"), "text", "c.text"),
        (b"<d><row Id='1'/> wrote Jo Fox </d>", (), "text", "text"),
    ],
)
def test_what_stands_around_the_records_is_ignored_by_name_or_refused(
    content: bytes, records: tuple[str, ...], name: str, where: str, tmp_path: Path
) -> None:
    assert read(tmp_path, content, records, [name]) == [{"Id": "1"}]
    with pytest.raises(SourceError, match=rf"unknown field '{where}' beside the records; map it or list it as ignored"):
        read(tmp_path, content, records)


def test_a_root_that_is_one_record_has_its_attributes_and_all_its_elements(tmp_path: Path) -> None:
    content = b'<chat id="7"><said by="jo">One</said><said by="al">Two</said></chat>'

    assert read(tmp_path, content, ROOT) == [
        {"id": "7", "said": [{"by": "jo", "text": "One"}, {"by": "al", "text": "Two"}]},
    ]
    left = b"".join(piece for piece, _ in without_elements(content, received(tmp_path, content), ROOT, {1}))
    assert read(tmp_path, left, ROOT) == ["forgotten"]


def test_a_namespace_that_is_declared_is_no_field(tmp_path: Path) -> None:
    content = b'<d xmlns="urn:desk" xmlns:x="urn:x"><row xmlns:y="urn:y" Id="1"/></d>'

    assert read(tmp_path, content) == [{"Id": "1"}]


def test_what_the_doctor_sees_around_the_records_is_named_too(tmp_path: Path) -> None:
    content = b"<d version='2'>" + b"<c n='1'>Mon<row t='late tents'/><row t='wet tents'/></c>" + b"</d>"

    assert wrapped_in([content], received(tmp_path, content)) == (("c", "row"), ["n", "text", "version"])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "windows-1252"])
def test_the_encoding_is_the_declared_one_or_that_of_the_byte_order_mark(encoding: str, tmp_path: Path) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?><posts><row text="größer als 5 €"/></posts>'

    assert read(tmp_path, text.encode(encoding)) == [{"text": "größer als 5 €"}]


@pytest.mark.parametrize("encoding", ["gbk", "no-such-thing"])
def test_an_encoding_that_is_not_read_is_named(encoding: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="declares an encoding that is not read"):
        read(tmp_path, f'<?xml version="1.0" encoding="{encoding}"?><posts><row a="b"/></posts>'.encode())


@pytest.mark.parametrize(
    "content",
    [
        b'<!DOCTYPE p [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><p><row t="&b;"/></p>',
        b'<!DOCTYPE p PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "xhtml1-strict.dtd"><p><row>The caf&eacute; is closed</row></p>',
    ],
)
def test_a_file_that_declares_entities_or_leaves_that_to_another_is_refused_unread(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="declares entities, or a document type elsewhere"):
        read(tmp_path, content)


def test_text_with_elements_in_it_is_one_text_and_an_attribute_called_text_stays(tmp_path: Path) -> None:
    content = b'<p><post by="jo">My <b>order</b> is <i>late</i> now</post><post text="one">two</post></p>'

    assert read(tmp_path, content) == [{"by": "jo", "text": "My order is late now"}, {"text": ["one", "two"]}]


@pytest.mark.parametrize("content", [POSTS[:-20], b"<posts><row></posts>", b"no xml", b"<p>" * 200, b"\0\xff"])
def test_a_file_that_is_cut_off_or_none_is_one_clear_error(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"or is cut off; fetch it again|nested too deep"):
        read(tmp_path, content)


def test_a_record_that_is_too_long_is_passed_over_and_the_next_is_read(tmp_path: Path) -> None:
    content = b"<posts><row><text>" + b"x" * 5000 + b'</text></row><row Id="2"/></posts>'

    assert read(tmp_path, content, most=1000) == ["too_long", {"Id": "2"}]


def test_a_tag_without_end_is_not_held_in_memory(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="a tag is longer than max_row_bytes"):
        read(tmp_path, b'<posts><row Body="' + b"x" * 10**6, most=10**5)


@pytest.mark.parametrize(
    ("content", "records", "ignored"), [(POSTS, (), ()), (DUMP, ("database", "table_data", "row"), ("name", "table_structure"))]
)
def test_elements_cut_out_leave_a_mark_and_every_other_byte(
    content: bytes, records: tuple[str, ...], ignored: Collection[str], tmp_path: Path
) -> None:
    pieces = list(without_elements(content, received(tmp_path, content), records, {2}))
    left = b"".join(piece for piece, _ in pieces)
    before, after = read(tmp_path, content, records, ignored), read(tmp_path, left, records, ignored)

    assert after == [before[0], "forgotten"]
    assert b"".join(piece for piece, is_mark in pieces if not is_mark) in {
        content.replace(b'<row Id="2" ParentId="1" Body="Here"/>', b""),
        DUMP.replace(DUMP[DUMP.index(b'    <row><field name="id">2') + 4 : DUMP.index(b"\n  </table_data>")], b""),
    }
