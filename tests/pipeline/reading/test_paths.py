"""Paths into foreign JSON, and the proof that nothing in a record is unknown."""

from typing import Any

import pytest

from pipeline.reading.paths import find, known, parse, shown, unknown

RECORD = {"id": 7, "who": {"name": "Jo", "tags": ["a", "b"]}, "events": [{"at": 1, "with": [{"x": 1}, {"y": 2}]}, ["c", "Hi"]]}


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("", [RECORD]),
        ("id", [7]),
        ("who.name", ["Jo"]),
        ("who.tags", [["a", "b"]]),
        ("who.tags.*", ["a", "b"]),
        ("who.tags.1", ["b"]),
        ("who.tags.7", []),
        ("events.*.with.*.y", [2]),
        ("events.*.with.*.*", [1, 2]),
        ("events.1.1", ["Hi"]),
        ("id.name", []),
        ("nobody", []),
    ],
)
def test_a_path_finds_every_value_it_leads_to(path: str, values: list[Any]) -> None:
    assert list(find(RECORD, parse(path))) == values


@pytest.mark.parametrize(
    ("paths", "field"),
    [
        (["id", "who", "events"], None),
        (["id", "who.name", "who.tags", "events.*.at", "events.*.with", "events.*.0", "events.*.1"], None),
        (["id", "who.name", "events"], "who.tags"),
        (["id", "who", "events.*.at", "events.*.with.*.x", "events.*.*"], "events.0.with.1.y"),
        (["who", "events"], "id"),
        (["id.number", "who", "events"], "id"),
        (["id", "who", "who.name", "events"], None),
    ],
)
def test_every_field_is_mapped_or_ignored_or_named(paths: list[str], field: str | None) -> None:
    assert unknown(RECORD, known(paths)) == field


@pytest.mark.parametrize("empty", [None, "", [], {}])
def test_an_empty_field_has_nothing_unknown_in_it(empty: object) -> None:
    assert unknown({"who": empty}, known(["who.name"])) is None


@pytest.mark.parametrize(
    ("field", "printed"),
    [
        ("mood", "mood"),
        ("custom_field.a-b 2", "custom_field.a-b 2"),
        ("jo.fox@example.com", "*"),
        ("jo fox <jo", "*"),
        ("2125550142", "*"),
        ("x2125550142", "*"),
        ("a" * 65, "*"),
        ("", "*"),
        ("a\n", "*"),
    ],
)
def test_a_value_used_as_a_field_name_is_not_printed(field: str, printed: str) -> None:
    assert shown(field) == printed
    assert unknown({"who": [{field: 1}]}, known(["who.*.name"])) == f"who.0.{printed}"


def test_a_field_with_dots_in_its_own_name_is_found_and_known_by_the_same_path() -> None:
    record = {"@odata.etag": "W/1", "content": {"m.relates_to": {"m.in_reply_to": {"event_id": "$e1"}}}}
    path = "content.m.relates_to.m.in_reply_to.event_id"

    assert list(find(record, parse(path))) == ["$e1"]
    assert unknown(record, known([path, "@odata.etag"])) is None
    assert unknown(record, known([path])) is not None
    assert (
        unknown({**record, "content": {"m.relates_to": {"m.new": 1}}}, known([path, "@odata.etag"]))
        == "content.m.relates_to.m.new"
    )
