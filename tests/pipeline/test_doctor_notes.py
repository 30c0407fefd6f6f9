"""Internal notes are never proposed as messages, whatever a field says of them in seven languages."""

from pathlib import Path
from typing import Any, Final

import pytest

from pipeline.doctor.diagnosis import diagnose
from tests.pipeline.received import ingested, texts, write
from tests.pipeline.test_doctor import as_csv, diagnosed

SAYS: Final = ("the blue tent leaks at its seams", "please send a photo", "he is a rude liar", "a new tent leaves today")
NOTE: Final = 2


def threads(**more: tuple[str, str]) -> list[dict[str, Any]]:
    """Six threads of four rows, the third of which is a note; `more`: what a column says of a note, and of a message."""
    return [
        {
            "Ticket": thread, "Von": "Kunde" if place == 0 else "Agent", "Text": f"{says} {thread}",
            **{name: values[place != NOTE] for name, values in more.items()},
        } for thread in range(6) for place, says in enumerate(SAYS)
    ]  # fmt: skip


def said(folder: Path) -> list[list[str]]:
    """Every conversation, as it is read by what the doctor proposes."""
    (found,) = diagnose(folder).sources
    return sorted(texts(ingested(folder, found.mapping)).values())


MESSAGES: Final = [
    [f"{'customer' if place == 0 else 'agent'}: {says} {thread}" for place, says in enumerate(SAYS) if place != NOTE]
    for thread in range(6)
]


@pytest.mark.parametrize(
    ("column", "of_notes", "of_messages"),
    [
        ("internal", "true", "false"), ("is_public", "0", "1"), ("staff_only", "1", "0"), ("customer_visible", "false", "true"),
        ("Intern", "Ja", "Nein"), ("Interne Notiz", "Ja", "Nein"), ("Öffentlich", "Nein", "Ja"),
        ("Vertraulich", "WAHR", "FALSCH"), ("Sichtbar für Kunde", "Nein", "Ja"), ("Nur intern", "x", ""),
        ("Note interne", "Oui", "Non"), ("Privé", "VRAI", "FAUX"), ("Publique", "Non", "Oui"),
        ("Nota interna", "Sí", "No"), ("Público", "No", "Sí"), ("Privado", "VERDADERO", "FALSO"),
        ("Nota interna", "Sì", "No"), ("Pubblico", "FALSO", "VERO"), ("Riservato", "Sì", "No"),
        ("Interne notitie", "Ja", "Nee"), ("Openbaar", "Nee", "Ja"), ("Zichtbaar", "ONWAAR", "WAAR"),
        ("Nota interna", "Sim", "Não"), ("Público", "Não", "Sim"), ("Visível ao cliente", "Não", "Sim"),
    ],
)  # fmt: skip
def test_a_flag_that_tells_internal_notes_keeps_them_out(column: str, of_notes: str, of_messages: str, tmp_path: Path) -> None:
    log = as_csv(threads(**{column: (of_notes, of_messages)}))

    assert said(write(tmp_path / "in", log__csv=log)) == MESSAGES


@pytest.mark.parametrize(
    ("column", "of_notes", "of_messages"),
    [
        ("Type", "Internal note", "Public reply"), ("Type", "Staff only", "Reply"), ("Kind", "not public", "public"),
        ("comment_type", "Work notes", "Additional comments"), ("type", "agent-only", "all"),
        ("Art", "Interne Notiz", "Antwort"), ("Art", "Aktennotiz", "Öffentliche Notiz"), ("Art", "Interner Vermerk", "E-Mail"),
        ("Sichtbarkeit", "Nicht öffentlich", "Öffentlich"), ("Sichtbarkeit", "Team", "Kunde"),
        ("Type", "Commentaire privé", "Commentaire public"), ("Type", "Note privée", "Note publique"),
        ("Visibilité", "Privée", "Publique"),
        ("Tipo", "Comentario privado", "Comentario público"), ("Visibilidad", "Privado", "Público"),
        ("Tipo", "Nota privata", "Risposta pubblica"), ("Visibilità", "Riservato", "Pubblico"),
        ("Soort", "Interne notitie", "Openbaar antwoord"), ("Zichtbaarheid", "Intern", "Openbaar"),
        ("Tipo", "Anotação interna", "Resposta pública"), ("Visibilidade", "Interna", "Pública"),
        ("Type", "Comment", "Correspond"),
    ],
)  # fmt: skip
def test_a_word_for_internal_notes_keeps_them_out(column: str, of_notes: str, of_messages: str, tmp_path: Path) -> None:
    log = as_csv(threads(**{column: (of_notes, of_messages)}))

    assert said(write(tmp_path / "in", log__csv=log)) == MESSAGES


@pytest.mark.parametrize(
    ("column", "of_some", "of_others"), [("Kundentyp", "privat", "gewerblich"), ("Account", "private", "team")]
)
def test_what_a_customer_is_makes_no_note_of_the_message(column: str, of_some: str, of_others: str, tmp_path: Path) -> None:
    log = as_csv(threads(**{column: (of_some, of_others)}))

    assert sum(map(len, said(write(tmp_path / "in", log__csv=log)))) == 4 * 6


@pytest.mark.parametrize("column", ["Interne Notiz", "internal_comments", "Note interne", "Nota privada", "Interne Antwort"])
def test_a_column_of_internal_notes_is_neither_question_nor_answer_and_is_remarked(column: str, tmp_path: Path) -> None:
    rows = [
        {"Ticket-Nr.": n, "Beschreibung": f"{SAYS[0]} {n}", "Antwort": f"{SAYS[1]} {n}", column: f"{SAYS[2] * 3} {n}"}
        for n in range(30)
    ]
    folder = write(tmp_path / "in", log__csv=as_csv(rows))
    (found,) = diagnose(folder).sources

    assert found.mapping["pair"] == {"question": "Beschreibung", "answer": "Antwort"}
    assert f"{column} holds internal notes by its name, and is not read" in found.remarks


def test_a_list_of_notes_is_not_the_list_of_messages_however_long_they_are(tmp_path: Path) -> None:
    records = [
        {
            "id": n, "messages": [{"from": "user", "text": f"{SAYS[0]} {n}"}, {"from": "agent", "text": f"{SAYS[1]} {n}"}],
            "internal_notes": [{"from": "agent", "text": f"{SAYS[2] * 9} {n}"}],
        } for n in range(6)
    ]  # fmt: skip

    assert said(write(tmp_path / "in", log__jsonl=records)) == [
        [f"customer: {SAYS[0]} {n}", f"agent: {SAYS[1]} {n}"] for n in range(6)
    ]


@pytest.mark.parametrize("label", ["Internal note", "Interne Notiz", "Note interne", "Nota privada", "Private comment"])
@pytest.mark.parametrize("is_table", [True, False])
def test_an_internal_note_in_a_transcript_is_left_out_and_counted(is_table: bool, label: str, tmp_path: Path) -> None:
    chats = [f"Customer: {SAYS[0]} {n}\nAgent: {SAYS[1]} {n}\n{label}: {SAYS[2]}\nAgent: {SAYS[3]} {n}" for n in range(6)]
    rows = as_csv([{"id": n, "transcript": chat} for n, chat in enumerate(chats)])
    folder = write(tmp_path / "in", log__csv=rows) if is_table else write(tmp_path / "in", all__txt="\n=====\n".join(chats))
    (found,) = diagnose(folder).sources
    table = ingested(folder, found.mapping)

    assert sorted(texts(table).values()) == MESSAGES
    assert table.manifest.counts["events.left_out"] == 6
    assert any(label in remark for remark in found.remarks)


@pytest.mark.parametrize("is_nested", [True, False])
def test_lists_that_are_not_read_are_named_wherever_they_stand(is_nested: bool, tmp_path: Path) -> None:
    rows = [
        {
            "chat": thread, "from": ("user", "agent")[place % 2], "text": f"{says} {thread}",
            "nlu": {"entities": [{"entity": "name", "value": "Jo"}]},
        } for thread in range(6) for place, says in enumerate(SAYS)
    ]  # fmt: skip
    records = [{"id": n, "messages": [row for row in rows if row["chat"] == n]} for n in range(6)] if is_nested else rows
    (found,) = diagnose(write(tmp_path / "in", log__jsonl=records)).sources

    assert any("nlu.entities" in remark and "which are not read" in remark for remark in found.remarks)


@pytest.mark.parametrize(("flag", "of_a_note"), [("public", False), ("is_private", True), ("internal", True), ("isNote", True)])
def test_internal_notes_are_told_from_messages_by_their_flag(flag: str, of_a_note: bool, tmp_path: Path) -> None:
    records = [
        {
            "id": thread,
            "messages": [
                {"from_agent": place != 0, "body_text": f"{says} {thread}", flag: of_a_note == (place == 2)}
                for place, says in enumerate(SAYS)
            ],
        }
        for thread in range(6)
    ]
    folder = write(tmp_path / "in", tickets__jsonl=records)
    table = ingested(folder, diagnosed(folder).mapping)

    assert texts(table)["4"] == [f"customer: {SAYS[0]} 4", f"agent: {SAYS[1]} 4", f"agent: {SAYS[3]} 4"]


@pytest.mark.parametrize(
    ("column", "of_a_message", "of_a_note"),
    [
        ("public", "True", "False"),
        ("is_private", "0", "1"),
        ("IsNote", "", "yes"),
        ("internal", "f", "t"),
        ("type", "comment", "note"),
        ("message_type", "outgoing", "privateNote"),
        ("visibility", "customer", "internal"),
        ("Sichtbarkeit", "öffentlich", "intern"),
    ],
)
@pytest.mark.parametrize("layout", ["csv", "jsonl"])
def test_internal_notes_in_a_table_make_no_turns(
    column: str, of_a_message: str, of_a_note: str, layout: str, tmp_path: Path
) -> None:
    records = [
        {"ticket": 70 + thread, "role": who, "body": f"{says} {thread}", column: of_a_note if place == 2 else of_a_message}
        for thread in range(6)
        for place, (who, says) in enumerate(zip(("customer", "agent", "agent", "agent"), SAYS, strict=True))
    ]
    folder = write(tmp_path / "in", **{f"log__{layout}": as_csv(records) if layout == "csv" else records})
    table = ingested(folder, diagnosed(folder).mapping)

    assert texts(table)["74"] == [f"customer: {SAYS[0]} 4", f"agent: {SAYS[1]} 4", f"agent: {SAYS[3]} 4"]
    assert sum(n for name, n in table.manifest.counts.items() if name.startswith("events.")) == 6


def test_a_field_that_may_tell_notes_and_is_not_understood_is_said(tmp_path: Path) -> None:
    records = [
        {"ticket": 70 + thread, "author": (f"jo{thread}", "al")[place % 2], "body": f"{says} {thread}", "privacy": place % 3}
        for thread in range(6)
        for place, says in enumerate(SAYS)
    ]
    found = diagnosed(write(tmp_path / "in", log__csv=as_csv(records)))

    assert "messages" not in found.mapping
    assert any(remark.startswith("privacy may tell internal notes") for remark in found.remarks)
