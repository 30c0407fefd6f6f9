"""The doctor before exports of forums, chats and trackers, in the shapes that their programs write."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from pipeline.doctor.diagnosis import diagnose
from tests.pipeline.received import ingested, texts, write
from tests.pipeline.test_doctor import SAYS, as_csv, diagnosed

ASKED: Final = ("customer", "agent", "customer", "agent")


def said(thread: int, roles: Sequence[str] = ASKED) -> list[str]:
    return [f"{role}: {says} {thread}" for role, says in zip(roles, SAYS, strict=True)]


def is_read(folder: Path, *, threads: int = 8) -> bool:
    """Whether the mapping as it is proposed makes these threads of what lies there."""
    read = texts(ingested(folder, diagnosed(folder).mapping)).values()
    return sorted(read) == sorted(said(thread) for thread in range(threads))


def turns(thread: int) -> list[dict[str, Any]]:
    """Who says what and when in one thread; each has a customer of its own."""
    names = ("Jo Fox", "Al Roe", "Jo Fox", "Al Roe")
    return [
        {
            "id": 100 * (thread + 1) + place,
            "login": f"jo_fox{thread}" if place % 2 == 0 else "al_roe",
            "name": name,
            "text": f"{says} {thread}",
            "at": f"2026-01-{thread + 1:02}T1{place}:30:00Z",
        }
        for place, (name, says) in enumerate(zip(names, SAYS, strict=True))
    ]


def test_a_note_of_osticket_is_no_message_and_its_letters_say_who_speaks(tmp_path: Path) -> None:
    entries = [
        {"id": each["id"], "thread_id": thread, "type": "MR"[place % 2], "poster": each["login"], "body": each["text"]}
        for thread in range(8)
        for place, each in enumerate(turns(thread))
    ]
    notes = [{**entries[4 * thread], "id": 9000 + thread, "type": "N", "body": "he is rude"} for thread in range(8)]

    assert is_read(write(tmp_path / "in", thread_entry__csv=as_csv([*entries, *notes])))


def test_a_dialogue_system_in_capitals_speaks_for_the_company(tmp_path: Path) -> None:
    dialogues = [
        {"dialogue_id": f"d{n}", "turns": [{"speaker": ("USER", "SYSTEM")[p % 2], "utterance": t["text"]} for p, t in said_by(n)]}
        for n in range(8)
    ]

    assert is_read(write(tmp_path / "in", dialogues__json=dialogues))


def said_by(thread: int) -> list[tuple[int, dict[str, Any]]]:
    return list(enumerate(turns(thread)))


def test_members_who_answer_in_a_community_are_agents_though_a_flag_calls_few_of_them_staff(tmp_path: Path) -> None:
    topics = [
        {
            "id": n,
            "posts": [
                {"post": t["text"], "username": t["login"], "staff": n == 0 and p == 1, "created_at": t["at"]}
                for p, t in said_by(n)
            ],
        }
        for n in range(8)
    ]

    assert is_read(write(tmp_path / "in", topics__jsonl=topics))


def test_flags_and_kinds_of_people_are_nobodys_name(tmp_path: Path) -> None:
    issues = [
        {
            "number": n,
            "body": turns(n)[0]["text"],
            "author": {"login": f"jo_fox{n}", "user_deleted": False},
            "createdAt": turns(n)[0]["at"],
            "comments": [
                {
                    "author": {"login": t["login"]},
                    "authorAssociation": "NONE",
                    "viewerDidAuthor": False,
                    "body": t["text"],
                    "user_avatar": f"https://example.com/{t['login']}.png",
                    "createdAt": t["at"],
                }
                for t in turns(n)[1:]
            ],
        }
        for n in range(8)
    ]
    folder = write(tmp_path / "in", issues__json=issues)

    assert diagnosed(folder).mapping["identifiers"] == {
        "other": {"comments.*.author.login": "USER_NAME", "author.login": "USER_NAME"}
    }
    assert is_read(folder)


def test_ids_are_no_messages(tmp_path: Path) -> None:
    records = [{"message_tree_id": f"0{n}4e1df3-35e0-4bb8", "prompt": {"score": n}} for n in range(8)]

    assert diagnose(write(tmp_path / "in", trees__jsonl=records)).sources == []


def test_lines_of_any_text_are_no_table_of_one_row_for_most(tmp_path: Path) -> None:
    two, three = (
        [f"so {n}, {says}" for n, says in enumerate(SAYS * 2)],
        [f"{says}, he said, {n}" for n, says in enumerate(SAYS * 9)],
    )
    lines = "\n".join(["well, hello there", *two, *three])

    assert diagnose(write(tmp_path / "in", log__txt=lines)).sources == []


def test_who_wrote_a_row_does_not_tie_rows_together(tmp_path: Path) -> None:
    rows = [{"sender_id": n % 8, "sender": f"jo_fox{n % 8}", "content": f"{SAYS[n % 4]} {n}"} for n in range(32)]

    assert "turn" not in diagnosed(write(tmp_path / "in", log__jsonl=rows)).mapping


def of_discord(thread: int) -> list[Any]:
    return [
        {
            "id": str(t["id"]),
            "content": t["text"],
            "timestamp": t["at"],
            "author": {"id": t["login"][-1], "name": t["login"], "isBot": False},
            "reactions": [{"emoji": {"name": "x"}}],
            **({"reference": {"messageId": str(t["id"] - 1), "guildId": "7"}} if p else {}),
        }
        for p, t in said_by(thread)
    ]


def of_teams(thread: int) -> list[Any]:
    return [
        {
            "id": str(t["id"]),
            "replyToId": str(100 * (thread + 1)) if p else None,
            "createdDateTime": t["at"],
            "from": {"application": None, "user": {"id": "u", "displayName": t["login"]}},
            "@odata.etag": "W/1",
            "body": {"contentType": "html", "content": f"<div>{t['text']}</div>"},
        }
        for p, t in said_by(thread)
    ]


def of_matrix(thread: int) -> list[Any]:
    return [
        {
            "event_id": f"$e{t['id']}",
            "sender": f"@{t['login']}:example.com",
            "origin_server_ts": 1767614400000 + t["id"] * 1000,
            "content": {
                "msgtype": "m.text",
                "body": t["text"],
                **({"m.relates_to": {"m.in_reply_to": {"event_id": f"$e{t['id'] - 1}"}}} if p else {}),
            },
        }
        for p, t in said_by(thread)
    ]


def of_rocket_chat(thread: int) -> list[Any]:
    return [
        {
            "_id": f"m{t['id']}",
            "rid": "GENERAL",
            "msg": t["text"],
            "ts": {"$date": t["at"]},
            "u": {"username": t["login"]},
            **({"tmid": f"m{100 * (thread + 1)}"} if p else {}),
        }
        for p, t in said_by(thread)
    ]


def of_kustomer(thread: int) -> list[Any]:
    return [
        {
            "type": "message",
            "id": str(t["id"]),
            "attributes": {"direction": ("in", "out")[p % 2], "preview": t["text"], "sentAt": t["at"], "createdAt": t["at"]},
            "relationships": {"conversation": {"data": {"type": "conversation", "id": f"c{thread}"}}},
        }
        for p, t in said_by(thread)
    ]


@pytest.mark.parametrize("shape", [of_discord, of_teams, of_matrix, of_rocket_chat, of_kustomer])
def test_rows_that_hold_records_are_read_by_paths(shape: Callable[[int], list[Any]], tmp_path: Path) -> None:
    records = [each for thread in range(8) for each in shape(thread)]

    assert is_read(write(tmp_path / "lines", messages__jsonl=records))
    assert is_read(write(tmp_path / "wrapped", messages__json=json.dumps({"value": records, "count": 32})))


def of_telegram(thread: int) -> dict[str, Any]:
    joined = {
        "id": 1,
        "type": "service",
        "date": turns(thread)[0]["at"],
        "actor": "Jo Fox",
        "action": "x",
        "text": "",
        "text_entities": [],
    }
    said = [
        {
            "id": p + 2,
            "type": "message",
            "date": t["at"],
            "from": t["login"],
            "from_id": f"user{p % 2}",
            "text": ["", {"type": "bold", "text": t["text"].split()[0]}, t["text"].removeprefix(t["text"].split()[0])],
            "text_entities": [{"type": "plain", "text": t["text"]}],
        }
        for p, t in said_by(thread)
    ]
    return {"name": "Jo", "type": "personal_chat", "id": 7000 + thread, "messages": [joined, *said]}


def test_chats_of_telegram_are_conversations_one_in_a_file_or_all_in_one(tmp_path: Path) -> None:
    chats = [of_telegram(thread) for thread in range(8)]
    account = {"about": "Here is the data you requested.", "personal_information": {"user_id": 1}}
    every = {**account, "chats": {"about": "This page lists all chats of yours", "list": chats}}

    assert is_read(write(tmp_path / "one", **{f"chat{n}__json": json.dumps(each, indent=1) for n, each in enumerate(chats)}))
    assert is_read(write(tmp_path / "all", result__json=json.dumps(every, indent=1)))


@pytest.mark.parametrize("version", [2, 3])
def test_issues_of_jira_are_read_with_their_comments_in_either_version_of_its_api(version: int, tmp_path: Path) -> None:
    def body(text: str) -> Any:
        words = [{"type": "text", "text": text, "marks": [{"type": "strong"}]}]
        return {"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": words}]} if version == 3 else text

    def who(turn: dict[str, Any]) -> dict[str, Any]:
        return {"accountId": f"712020:{turn['login']}", "displayName": turn["name"], "avatarUrls": {}, "active": True}

    issues = [
        {
            "id": str(n),
            "key": f"DESK-{n}",
            "fields": {
                "summary": "Tent",
                "description": body(turns(n)[0]["text"]),
                "reporter": who(turns(n)[0]),
                "created": turns(n)[0]["at"],
                "comment": {
                    "total": 3,
                    "comments": [
                        {"id": str(t["id"]), "author": who(t), "body": body(t["text"]), "created": t["at"]} for t in turns(n)[1:]
                    ],
                },
            },
        }
        for n in range(8)
    ]

    assert is_read(write(tmp_path / "in", search__json=json.dumps({"startAt": 0, "total": 8, "issues": issues})))


def test_a_dump_of_stack_exchange_is_read_as_threads_members_who_left_and_texts_about_tags_apart(tmp_path: Path) -> None:
    def row(turn: dict[str, Any], place: int, thread: int) -> str:
        left = thread == 3 and place % 2 == 0
        fields = {
            "Id": turn["id"],
            "PostTypeId": 2 if place else 1,
            "Body": f"&lt;p&gt;{turn['text']}&lt;/p&gt;",
            "CreationDate": turn["at"].removesuffix("Z"),
            **({"OwnerDisplayName": "Jo Fox"} if left else {"OwnerUserId": f"{place % 2}{thread}"}),
            **({"ParentId": 100 * (thread + 1)} if place else {"Tags": "&lt;tent&gt;"}),
        }
        return "<row {} />".format(" ".join(f'{name}="{value}"' for name, value in fields.items()))

    rows = [row(t, p, n) for n in range(8) for p, t in said_by(n)]
    wiki = '<row Id="9" PostTypeId="5" Body="Tents are houses of cloth" CreationDate="2026-01-01T00:00:00" OwnerUserId="1" />'

    assert is_read(write(tmp_path / "in", Posts__xml="\n".join(['<?xml version="1.0"?><posts>', *rows, wiki, "</posts>"])))


def test_issues_and_their_comments_in_files_of_their_own_are_threads(tmp_path: Path) -> None:
    def record(turn: dict[str, Any], url: str, **more: Any) -> dict[str, Any]:
        user = {"login": turn["login"], "id": len(turn["login"]), "type": "User", "site_admin": False}
        return {
            "url": f"https://api.example.com/{url}",
            "id": turn["id"],
            "user": user,
            "body": turn["text"],
            "created_at": turn["at"],
            **more,
        }

    issues = [record(turns(n)[0], f"issues/{n}", number=n, labels=[], state="closed", locked=False, comments=3) for n in range(8)]
    comments = [
        record(t, f"issues/comments/{t['id']}", issue_url=f"https://api.example.com/issues/{n}", author_association="NONE")
        for n in range(8)
        for t in turns(n)[1:]
    ]

    assert is_read(write(tmp_path / "in", issues__json=json.dumps(issues), comments__json=json.dumps(comments)))


def test_posts_and_comments_of_a_forum_in_files_of_their_own_are_threads(tmp_path: Path) -> None:
    posts = [
        {
            "id": f"t{n}x", "author": turns(n)[0]["login"], "selftext": turns(n)[0]["text"], "created_utc": 1767614400 + n * 1000,
            "url": "https://example.com", "domain": "self", "is_self": True, "num_comments": 3, "over_18": False,
        } for n in range(8)
    ]  # fmt: skip
    comments = [
        {
            "id": f"c{t['id']}", "link_id": f"t3_t{n}x", "parent_id": f"t1_c{t['id'] - 1}" if p > 1 else f"t3_t{n}x",
            "author": t["login"], "body": t["text"], "created_utc": 1767614400 + n * 1000 + p, "controversiality": 0,
        } for n in range(8) for p, t in said_by(n)[1:]
    ]  # fmt: skip

    assert is_read(write(tmp_path / "in", RS_2026__jsonl=posts, RC_2026__jsonl=comments))


def test_a_channel_in_which_people_address_each_other_is_read_as_talks_of_two(tmp_path: Path) -> None:
    lines = [
        f"[1{n}:{p:02}] <{t['login']}> {'al_roe: ' if p == 2 else f'jo_fox{n}: ' if p % 2 else ''}{t['text']}"
        for n in range(8)
        for p, t in said_by(n)
    ]
    found = diagnosed(write(tmp_path / "in", **{"2026-01-05__log": "\n".join([*lines, ""])}))

    assert found.mapping["sessions"] == "pairs"
    assert [turn.partition(":")[0] for turns in texts(ingested(tmp_path / "in", found.mapping)).values() for turn in turns] == (
        list(ASKED) * 8
    )


def test_a_channel_in_which_nobody_is_addressed_is_read_as_a_whole(tmp_path: Path) -> None:
    lines = [f"[1{n}:{p:02}] <{t['login']}> {t['text']}" for n in range(8) for p, t in said_by(n)]
    found = diagnosed(write(tmp_path / "in", **{"2026-01-05__log": "\n".join([*lines, ""])}))

    assert found.mapping["sessions"] == "channel"


def test_a_table_of_posts_as_phpmyadmin_exports_it_is_read_without_the_markup_they_are_stored_in(tmp_path: Path) -> None:
    posts = [
        {
            "post_id": str(t["id"]),
            "topic_id": str(n),
            "post_username": t["login"],
            "post_time": str(1767614400 + t["id"]),
            "post_text": f"<t>{t['text']}</t>",
        }
        for n in range(8)
        for t in turns(n)
    ]
    table = {"type": "table", "name": "phpbb_posts", "database": "forum", "data": posts}
    document = [{"type": "header", "version": "5.1", "comment": "Export to JSON"}, {"type": "database", "name": "forum"}, table]

    assert is_read(write(tmp_path / "in", phpbb_posts__json=json.dumps(document)))


def test_a_document_with_those_who_take_part_beside_its_messages_is_one_conversation(tmp_path: Path) -> None:
    chats = {
        f"chat{n}__json": json.dumps(
            {
                "participants": [{"name": "Jo Fox"}, {"name": "Al Roe"}],
                "messages": [
                    {"sender_name": t["name"], "timestamp_ms": 1767614400000 + p, "content": t["text"]} for p, t in said_by(n)
                ],
                "title": "Jo Fox",
                "is_still_participant": True,
            }
        )
        for n in range(8)
    }

    assert is_read(write(tmp_path / "in", **chats))


def test_names_of_intents_and_the_like_are_nobodys_name_and_channel_and_rating_are_mapped(tmp_path: Path) -> None:
    intents = ("order_status", "inform_name", "cancel")
    sessions = [
        {
            "sessionId": f"s{n}",
            "channel": ("web", "app")[n % 2],
            "csat": 1 + n % 5,
            "user": {"displayName": f"Jo Fox{chr(97 + n)}"},
            "transcript": [
                {
                    "from": ("user", "bot")[p % 2],
                    "text": t["text"],
                    "nlu": {"intent": {"name": intents[p % 3]}, "skillName": "orders", "name": intents[p % 3]},
                }
                for p, t in said_by(n)
            ],
        }
        for n in range(10)
    ]
    found = diagnosed(write(tmp_path / "in", sessions__json=sessions))

    assert found.mapping["identifiers"] == {"other": {"user.displayName": "PERSON"}}
    assert (found.mapping["channel"], found.mapping["outcome"]["csat"]["at"]) == ("channel", "csat")
    assert any("csat is taken for the customer's rating" in remark for remark in found.remarks)


COLUMNS: Final = (
    "id,asked at,answered at,customer,mail,customer no.,phone,agent,rating,question,answer",
    "Ticketnr.,Erstellt am,Beantwortet am,Kunde,E-Mail,Kd.-Nr.,Telefon,Bearbeiter,Bewertung,Anfrage,Antwort",
    "Numéro de ticket,Créé le,Répondu le,Nom,Courriel,N° client,Téléphone,Conseiller,Évaluation,Question,Réponse",
    "Nº de ticket,Creado,Respondido,Nombre,Correo,N.º cliente,Teléfono,Agente,Valoración,Pregunta,Respuesta",
    "Numero ticket,Creato il,Risposto il,Nome,Posta,Codice cliente,Cellulare,Operatore,Valutazione,Domanda,Risposta",
    "Ticketnummer,Aangemaakt op,Beantwoord op,Naam,E-mailadres,Klantnr.,Telefoonnummer,Medewerker,Beoordeling,Vraag,Antwoord",
    "Ticket,Criado em,Data da resposta,Nome,E-mail,Código do cliente,Telemóvel,Atendente,Avaliação,Pergunta,Resposta",
    "Nr zgłoszenia,Utworzono,Data odpowiedzi,Imię i nazwisko,Mail,Numer klienta,Komórka,Konsultant,Ocena,Pytanie,Odpowiedź",
)


@pytest.mark.parametrize("header", COLUMNS)
def test_columns_of_a_ticket_export_are_known_in_eight_languages(header: str, tmp_path: Path) -> None:
    names = header.split(",")
    cells = [
        (
            *(f"T-{100 + n}", f"{10 + n}.03.2026 09:00", f"{10 + n}.03.2026 1{n}:30" if n else "", f"Fox{chr(97 + n)}, Jo"),
            *(f"jo{n}@example.com", f"981.78{n}", f"0{n}0 555 010{n}", ("Al Roe", "Bo Day")[n % 2], "4,5"),
            *(f"the blue tent number {n} leaks", f"please send a photo of seam {n}" if n else ""),
        )
        for n in range(10)
    ]
    text = "\n".join(";".join(row) for row in (names, *cells)) + "\n"
    found = diagnosed(write(tmp_path / "in", tickets__csv=text))

    own, asked, answered, customer, mail, number, phone, agent, rating, question, answer = names
    assert found.mapping["id"] == own
    assert found.mapping["pair"] == {"question": question, "answer": answer, "asked_at": asked, "answered_at": answered}
    assert found.mapping["identifiers"]["other"] == {
        customer: "PERSON",
        mail: "EMAIL_ADDRESS",
        number: "ACCOUNT_NUMBER",
        phone: "PHONE_NUMBER",
        agent: "PERSON",
    }
    assert found.mapping["outcome"]["csat"]["at"] == rating
    assert found.read == {"kept": 10}


@pytest.mark.parametrize("is_dump", [True, False])
def test_topics_in_the_channels_of_zulip_are_conversations(is_dump: bool, tmp_path: Path) -> None:
    def message(thread: int, turn: dict[str, Any]) -> dict[str, Any]:
        own = {"id": turn["id"], "content": turn["text"], "subject": f"tent {thread // 2}", "flags": ["read"]}
        channel, sender = thread % 2, 7 if turn["login"] == "al_roe" else 100 + thread
        sent = 1767614400 + turn["id"]
        if is_dump:
            return {**own, "recipient": 20 + channel, "sender": sender, "date_sent": float(sent), "has_link": False}
        people = {"sender_id": sender, "sender_full_name": turn["login"], "display_recipient": f"help {channel}"}
        return {**own, **people, "stream_id": 1 + channel, "timestamp": sent, "type": "stream", "client": "website"}

    messages = [message(thread, turn) for thread in range(8) for turn in turns(thread)]
    messages += [{**messages[0], "id": 9000, "content": "Between the two of us, he is rude", "subject": ""}]
    read_by = [{"id": n, "user_profile": 7, "message": each["id"]} for n, each in enumerate(messages)]
    page = {"zerver_message": messages, "zerver_usermessage": read_by} if is_dump else {"result": "success", "messages": messages}

    folder = write(tmp_path / "in", messages__json=json.dumps(page))
    assert is_read(folder)
    assert "id: messages without 'subject', such as those between two people, are refused as no_id" in diagnosed(folder).remarks


@pytest.mark.parametrize("is_nested", [True, False])
def test_what_chatwoot_notes_down_itself_is_no_message_and_its_users_answer_contacts(is_nested: bool, tmp_path: Path) -> None:
    def messages(thread: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = [
            {
                "id": turn["id"], "conversation_id": thread, "content": turn["text"], "message_type": place % 2, "private": False,
                "sender_type": ("Contact", "User")[place % 2], "created_at": 1767614400 + turn["id"],
            } for place, turn in enumerate(turns(thread))
        ]  # fmt: skip
        done = {**found[1], "content": "Conversation was marked resolved by Al Roe", "message_type": 2, "sender_type": None}
        return [*found, {**found[1], "content": "He is rude", "private": True}, done]

    every = [messages(thread) for thread in range(8)]
    logs = (
        [{"id": n, "messages": each} for n, each in enumerate(every)] if is_nested else [each for some in every for each in some]
    )

    assert is_read(write(tmp_path / "in", log__jsonl=logs))


def test_events_of_crisp_whose_content_is_a_record_are_no_messages(tmp_path: Path) -> None:
    def messages(thread: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = [
            {
                "session_id": f"session_{thread}", "type": "text", "from": ("user", "operator")[place % 2],
                "content": turn["text"], "timestamp": 1000 * (1767614400 + turn["id"]),
            } for place, turn in enumerate(turns(thread))
        ]  # fmt: skip
        event = {**found[1], "type": "event", "content": {"namespace": "state:resolved"}}
        return [*found, {**found[1], "type": "note", "content": "He is rude"}, event]

    page = {"error": False, "reason": "listed", "data": [each for thread in range(8) for each in messages(thread)]}

    assert is_read(write(tmp_path / "in", page__json=json.dumps(page)))


def test_tickets_each_wrapped_in_a_record_of_its_own_are_read_as_freshdesk_dumps_them(tmp_path: Path) -> None:
    def ticket(thread: int) -> dict[str, Any]:
        opening, *more = turns(thread)
        return {
            "id": thread, "display_id": thread, "requester_id": 100 + thread, "responder_id": 7, "status": 5, "source": 1,
            "subject": "Tent", "description": opening["text"], "created_at": opening["at"],
            "notes": [
                {
                    "id": each["id"], "body": each["text"], "incoming": place % 2 == 1, "private": False,
                    "user_id": 100 + thread if place % 2 else 7, "created_at": each["at"],
                } for place, each in enumerate(more)
            ],
        }  # fmt: skip

    dump = [{"helpdesk_ticket": ticket(thread)} for thread in range(8)]
    folder = write(tmp_path / "in", Tickets0__json=json.dumps(dump))

    assert diagnosed(folder).format == "freshdesk"
    assert is_read(folder)


def as_xml(thread: int) -> str:
    said = "".join(f'<message sender="{each["login"]}" time="{each["at"]}">{each["text"]}</message>' for each in turns(thread))
    return f'<chat xmlns="urn:chat" account="help@example.com" id="{thread}">{said}</chat>'


def as_discord(thread: int) -> str:
    messages = [
        {
            "id": str(each["id"]),
            "type": "Default",
            "timestamp": each["at"],
            "content": each["text"],
            "author": {"name": each["login"]},
        }
        for each in turns(thread)
    ]
    channel = {"id": str(900 + thread), "name": f"tent {thread}"}
    return json.dumps({"guild": {"name": "Acme"}, "channel": channel, "exportedAt": "2026-02-02T10:00:00Z", "messages": messages})


@pytest.mark.parametrize(("ending", "written"), [("xml", as_xml), ("json", as_discord)])
def test_messages_that_nothing_ties_together_are_the_conversation_of_their_file(
    ending: str, written: Callable[[int], str], tmp_path: Path
) -> None:
    folder = write(tmp_path / "in", **{f"chat{thread}__{ending}": written(thread) for thread in range(8)})

    assert is_read(folder)
    assert any("each file is taken for one conversation" in remark for remark in diagnosed(folder).remarks)
    assert "opened_at" not in diagnosed(folder).mapping


def test_threads_of_zoho_that_lie_in_a_file_for_each_ticket_are_not_tied_by_who_wrote_them(tmp_path: Path) -> None:
    def page(thread: int) -> str:
        rows = [
            {
                "id": str(each["id"]), "direction": ("in", "out")[place % 2], "content": each["text"], "createdTime": each["at"],
                "author": {"id": f"{thread if place % 2 == 0 else 'al'}", "name": each["name"]}, "visibility": "public",
            } for place, each in enumerate(turns(thread))
        ]  # fmt: skip
        return json.dumps({"data": rows[::-1]})

    assert is_read(write(tmp_path / "in", **{f"{thread}__json": page(thread) for thread in range(8)}))


def test_a_column_that_is_no_question_though_its_text_is_the_longest_is_accounted_for(tmp_path: Path) -> None:
    rows = [
        {"case": n, "message": f"{SAYS[0]} {SAYS[2]} {n}", "question": f"{SAYS[0]} {n}", "answer": f"{SAYS[1]} {n}"}
        for n in range(9)
    ]
    folder = write(tmp_path / "in", wide__csv=as_csv(rows))

    assert len(texts(ingested(folder, diagnosed(folder).mapping))) == 9


def test_deliveries_with_the_same_columns_that_are_written_otherwise_have_a_mapping_each(tmp_path: Path) -> None:
    for name, encoding, delimiter in (("north", "utf-8", ","), ("south", "cp1252", ";"), ("west", "utf-16-le", "\t")):
        rows = [
            {"Ticket": f"{name}{n}", "Von": ("Kunde", "Agent")[place % 2], "Text": f"Grüße, {each['text']}"}
            for n in range(8) for place, each in enumerate(turns(n))
        ]  # fmt: skip
        write(tmp_path / name, log__csv=as_csv(rows, delimiter).encode(encoding))
    found = {each.name: each.mapping for each in diagnose(tmp_path).sources}

    assert {name: each.get("csv") for name, each in found.items()} == {
        "north": None,
        "south": {"encoding": "cp1252", "delimiter": ";"},
        "west": {"encoding": "utf-16", "delimiter": "\t"},
    }
    assert {len(texts(ingested(tmp_path / name, {**found[name], "path": "."}))) for name in found} == {8}


def test_a_large_delivery_that_is_none_of_messages_hides_no_other(tmp_path: Path) -> None:
    write(tmp_path / "notes", log__csv=as_csv([{"internal_note": f"{SAYS[n % 4] * 9} {n}"} for n in range(400)]))
    write(tmp_path / "chats", log__csv=as_csv([{"chat": n, **each} for n in range(8) for each in turns(n)]))

    assert [each.name for each in diagnose(tmp_path).sources] == ["chats"]


def test_pages_that_hold_other_things_beside_their_records_are_read_with_one_mapping(tmp_path: Path) -> None:
    pages = [
        {"messages": [{"chat": 2 * page + n, **each} for n in range(2) for each in turns(2 * page + n)], "page": page, **more}
        for page, more in enumerate([{}, {"next_url": None}, {}, {"took_ms": 4}])
    ]

    assert is_read(write(tmp_path / "in", **{f"p{n}__json": json.dumps(page) for n, page in enumerate(pages)}))


def test_transcripts_in_html_whose_lines_begin_with_how_long_a_chat_had_lasted_are_read(tmp_path: Path) -> None:
    head = '<p align="center">Chat Started: Monday, January 05, 2026, 12:00:00 (+0000)</p><p align="center">Agent Al Roe</p>'
    rows = [
        {"Id": f"570{n:012}", "Status": "Completed", "Body": head + "".join(
            f"( {f'{place}m ' if place else ''}{20 + place}s ) {each['name']}: {each['text']}<br>"
            for place, each in enumerate(turns(n))
        )} for n in range(8)
    ]  # fmt: skip

    assert is_read(write(tmp_path / "in", LiveChatTranscript__csv=as_csv(rows)))


def test_a_list_among_the_records_of_a_page_is_named_and_no_traceback(tmp_path: Path) -> None:
    messages: list[Any] = [{"chat": n, **each} for n in range(8) for each in turns(n)]
    page = {"messages": [*messages, [1, {"id": 2}]], "page": 1}

    assert diagnosed(write(tmp_path / "in", page__json=json.dumps(page))).read == {"kept": 8, "not_a_record": 1}


def test_a_page_of_messages_that_nothing_ties_together_is_not_taken_for_one_conversation(tmp_path: Path) -> None:
    page = {"results": [{"who": each["name"], "text": each["text"], "at": each["at"]} for n in range(8) for each in turns(n)]}

    found = diagnose(write(tmp_path / "in", p__json=json.dumps(page))).sources

    assert not any("each file" in remark for each in found for remark in each.remarks)


def test_mails_of_a_direction_that_is_named_only_where_they_come_in_are_told_apart(tmp_path: Path) -> None:
    mails = [
        {"id": each["id"], "properties": {
            "hs_email_direction": ("INCOMING_EMAIL", "EMAIL")[place % 2], "hs_email_text": each["text"],
            "hs_timestamp": each["at"], "hs_email_thread_id": str(n),
        }} for n in range(8) for place, each in enumerate(turns(n))
    ]  # fmt: skip

    assert is_read(write(tmp_path / "in", engagements__json=json.dumps({"results": mails})))


def test_a_dutch_export_is_tied_by_the_number_of_its_case(tmp_path: Path) -> None:
    rows = [
        {
            "Zaaknummer": n, "Afzender": ("Klant", "Medewerker")[place % 2], "Soort": "E-mail", "Bericht": each["text"],
            "Datum": each["at"],
        } for n in range(8) for place, each in enumerate(turns(n))
    ]  # fmt: skip
    notes = [{**rows[1], "Soort": "Notitie", "Bericht": "He is rude"}]

    assert is_read(write(tmp_path / "in", zaken__csv=as_csv([*rows, *notes])))
