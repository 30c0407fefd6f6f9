import json
import pickle
import random
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from pipeline.recognizers.names import MODEL, NamesRecognizer


@pytest.fixture(scope="module")
def recognizer() -> NamesRecognizer:
    return NamesRecognizer()


def found(recognizer: NamesRecognizer, text: str) -> list[tuple[str, str]]:
    return [(finding.entity_type, text[finding.start : finding.end]) for finding in recognizer.find_batch([text])[0]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hi, my name is Annelise Thorvaldsen", [("PERSON", "Annelise Thorvaldsen")]),
        ("Thanks Priya, one moment please.", [("PERSON", "Priya")]),
        ("Kind regards,\nJo", [("PERSON", "Jo")]),
        ("Is there a branch in Gothenburg?", [("LOCATION", "Gothenburg")]),
        ("I live at 4410 Tamarack Court", [("STREET_ADDRESS", "4410 Tamarack Court")]),
        ("The invoice came from Harlan Brightwater Ltd", [("ORGANIZATION", "Harlan Brightwater Ltd")]),
    ],
)
def test_each_label_is_found_with_its_exact_span(recognizer: NamesRecognizer, text: str, expected: list[tuple[str, str]]) -> None:
    assert found(recognizer, text) == expected


@pytest.mark.parametrize(
    "name",
    [
        "crystal minh",
        "oluwadamilare fagbemi",
        "jaswinder bhullar",
        "szymon przybylski",
        "guadalupe villarreal",
        "fatima al-rashid",
    ],
)
@pytest.mark.parametrize("turn", ["{}", "my name is {}", "yes its {}", "full name {} phone 555-0143"])
def test_names_in_lower_case_are_found_also_where_they_are_the_whole_turn(
    recognizer: NamesRecognizer, name: str, turn: str
) -> None:
    assert ("PERSON", name) in found(recognizer, turn.format(name))


def test_capitals_throughout_hide_no_name(recognizer: NamesRecognizer) -> None:
    assert ("PERSON", "LUPITA VILLARREAL") in found(recognizer, "HELLO, MY NAME IS LUPITA VILLARREAL AND I AM UPSET")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("🙏🏽👩🏽‍💻 this is Priya Raman", "Priya Raman"),  # code points outside the BMP and joiners before it
        ("my name is Jose\u0301 Mun\u0303oz", "Jose\u0301 Mun\u0303oz"),  # accents as combining characters
        ("my name is Zeynep Karaosmanoğlu", "Zeynep Karaosmanoğlu"),
        ("my name is Nguyễn Thị Ánh Tuyết", "Nguyễn Thị Ánh Tuyết"),
        ("\u200bmy name is\u00a0Paweł Kowalski\r\n", "Paweł Kowalski"),
        ("İİİ my name is Deniz Yılmaz", "Deniz Yılmaz"),  # noqa: RUF001  # `İ` grows when lowered
    ],
)
def test_offsets_count_characters_of_the_text_as_it_was_given(recognizer: NamesRecognizer, text: str, name: str) -> None:
    assert ("PERSON", name) in found(recognizer, text)


@pytest.mark.parametrize("text", ["", " ", "\n\n\t", "\u200b", "...", "🙏", "\u0301"])
def test_a_text_without_words_has_no_findings(recognizer: NamesRecognizer, text: str) -> None:
    assert recognizer.find_batch([text]) == [[]]


@pytest.mark.parametrize(
    "text",
    [
        "I will mark it as done and grant you access",
        "please bill me in april or may",
        "the rose gold one is out of stock",
        "i hope the courier will chase it up",
        "my apple watch does not pair with the galaxy s21",
        "chrome and firefox both show error 404",
        "order status please",
        "forgot password",
        "gold member",
        "Click on {{Order History}} and then {{Cancel Order}}.",
        "How do I top up with Apple Pay or American Express?",
        "thank you so much",
    ],
)
def test_words_brands_and_menu_paths_are_no_names(recognizer: NamesRecognizer, text: str) -> None:
    assert found(recognizer, text) == []


def test_an_address_over_several_lines_is_covered_from_street_to_country(recognizer: NamesRecognizer) -> None:
    block = "2218 Copper Kettle Road\nApt 12\nMissoula, MT 59801\nUnited States"
    text = f"Please send it to\n{block}\n"
    hit = {i for finding in recognizer.find_batch([text])[0] for i in range(finding.start, finding.end)}
    start = text.index(block)

    missed = [c for i, c in enumerate(block, start) if c.isalnum() and i not in hit]

    assert missed == []


def mixed_texts() -> list[str]:
    """Short and long, with and without names, in a seeded order."""
    rng = random.Random(5)
    parts = [
        "hi, my name is Ngozi Okafor", "where is my refund", "I live at 77 Wexford Lane, Tempe", "ok", "Regards,\nTobias",
        "the charge came from Pemberley Mart on Monday", "can i use my card in Izmir?", "thanks", "1234 5678", "🙏🏽",
    ]  # fmt: skip
    return [" ".join(rng.choices(parts, k=rng.randint(1, 12))) for _ in range(120)]


def test_what_is_found_in_a_text_does_not_depend_on_the_texts_around_it(recognizer: NamesRecognizer) -> None:
    texts = mixed_texts()
    alone = {text: recognizer.find_batch([text])[0] for text in texts}

    for order in (texts, texts[::-1], sorted(texts, key=len), texts[:7]):
        together = recognizer.find_batch(order)
        assert [[f.to_dict() for f in row] for row in together] == [[f.to_dict() for f in alone[text]] for text in order]


def test_every_number_of_the_model_is_the_same_whether_a_text_is_read_alone_or_among_others() -> None:
    session = NamesRecognizer()._session
    draw = np.random.default_rng(4)
    for tokens in (3, 7, 16, 61, 128):
        ids, shapes = draw.integers(1000, 30000, (9, tokens)), draw.integers(0, 6, (9, tokens))

        together = session.run(["logits"], {"input_ids": ids, "token_type_ids": shapes})[0]

        for place in range(9):
            one = slice(place, place + 1)
            alone = session.run(["logits"], {"input_ids": ids[one], "token_type_ids": shapes[one]})[0]
            assert np.array_equal(together[place], alone[0])


def test_more_threads_find_the_same(recognizer: NamesRecognizer) -> None:
    texts = mixed_texts()[:40]

    assert [[f.to_dict() for f in row] for row in NamesRecognizer(threads=2).find_batch(texts)] == [
        [f.to_dict() for f in row] for row in recognizer.find_batch(texts)
    ]


def test_a_turn_of_300_kilobytes_is_read_to_its_end(recognizer: NamesRecognizer) -> None:
    sentence = "my card was declined again and nobody could tell me why, so please look into it. "
    greeting = "Hello, my name is Annelise Thorvaldsen. "
    text = (sentence * 37 + greeting) * (300_000 // (37 * len(sentence) + len(greeting)) + 1)

    names = [finding for finding in recognizer.find_batch([text])[0] if finding.entity_type == "PERSON"]

    assert len(text) > 300_000
    assert [text[f.start : f.end] for f in names] == ["Annelise Thorvaldsen"] * text.count(greeting)


@pytest.mark.parametrize("words_before", range(90, 130, 4))
def test_a_name_on_the_seam_of_two_windows_is_found_whole_and_once(recognizer: NamesRecognizer, words_before: int) -> None:
    text = "please " * words_before + "my name is Annelise Thorvaldsen " + "thanks " * 60

    assert found(recognizer, text) == [("PERSON", "Annelise Thorvaldsen")]


def test_one_word_as_long_as_a_book_does_no_harm(recognizer: NamesRecognizer) -> None:
    text = "a" * 100_000 + " my name is Annelise Thorvaldsen"

    assert ("PERSON", "Annelise Thorvaldsen") in found(recognizer, text)


def test_only_the_labels_asked_for_are_returned(recognizer: NamesRecognizer) -> None:
    text = "Annelise Thorvaldsen lives in Gothenburg"

    findings = recognizer.analyze(text, ["LOCATION"], None)

    assert [text[f.start : f.end] for f in findings] == ["Gothenburg"]
    assert set(recognizer.supported_entities) == {"PERSON", "LOCATION", "STREET_ADDRESS", "ORGANIZATION"}


def test_a_threshold_above_one_finds_nothing_of_its_label_and_leaves_the_others() -> None:
    text = "Annelise Thorvaldsen lives in Gothenburg"

    assert found(NamesRecognizer(thresholds={"PERSON": 1.1}), text) == [("LOCATION", "Gothenburg")]


def test_a_threshold_for_a_label_the_model_lacks_is_refused() -> None:
    with pytest.raises(ValueError, match=r"thresholds for labels the names model does not have: \['PERSN'\]; it has "):
        NamesRecognizer(thresholds={"PERSN": 0.5})


def test_text_that_looks_like_the_models_own_marks_is_text(recognizer: NamesRecognizer) -> None:
    text = "[SEP] my name is Annelise Thorvaldsen [CLS] [PAD]"

    assert ("PERSON", "Annelise Thorvaldsen") in found(recognizer, text)


def test_a_recognizer_that_was_used_can_be_handed_to_a_worker_process(recognizer: NamesRecognizer) -> None:
    texts = mixed_texts()[:5]
    here = recognizer.find_batch(texts)

    with ProcessPoolExecutor(1) as pool:
        there = pool.submit(pickle.loads(pickle.dumps(recognizer)).find_batch, texts).result()

    assert [[f.to_dict() for f in row] for row in there] == [[f.to_dict() for f in row] for row in here]


def test_the_packaged_folder_is_small_and_complete() -> None:
    files = {path.name: path.stat().st_size for path in Path(MODEL).iterdir()}

    assert {"model.onnx", "tokenizer.json", "config.json", "MODEL_CARD.md"} <= set(files)
    assert sum(files.values()) <= 25_000_000
    assert set(json.loads((MODEL / "config.json").read_text("utf-8"))["thresholds"]) == set(NamesRecognizer().supported_entities)
