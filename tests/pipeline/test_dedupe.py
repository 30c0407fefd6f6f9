"""One of each cluster stays, the declared one, and nothing about the layout of the rows changes which."""

from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.dedupe import DedupeParams, dedupe, run
from pipeline.errors import TableError
from pipeline.params import load_section
from pipeline.parts import Means
from pipeline.schema import CLUSTERS, DEDUPED, FINDINGS, empty
from pipeline.similarity import clusters, minhash
from pipeline.stage import Outcome
from pipeline.tables import Table, new_table
from tests.build import KEY, MEANS, conversation, conversations, turn

SHIPPED: Final = load_section(DedupeParams, "dedupe", [Path(__file__).parents[2] / "params.yaml"])

STORY: Final = (
    "my parcel left the depot on monday and was never seen again although the tracking page says delivered to a neighbour"
)


def params(**more: Any) -> DedupeParams:
    return DedupeParams.model_validate({**SHIPPED.model_dump(), "mask": [], **more})


def words(number: int, count: int = 60) -> str:
    """Invented words that no other number has."""
    return " ".join(f"w{number}x{place}" for place in range(count))


def verdict(*rows: dict[str, Any], **more: Any) -> tuple[list[int], list[tuple[int, str, int]]]:
    """Numbers of the kept conversations, and (number, reason, keeper) of the dropped ones."""
    outcome = dedupe(conversations(rows), params(**more))
    outcome.account_for(pl.Series([row["conversation_id"] for row in rows]), "test")

    def number(name: str) -> int:
        return int(name.removeprefix("desk-"), 16)

    kept = [number(name) for name in outcome.kept["conversation_id"]]
    return kept, [(number(a), reason, number(b)) for a, reason, b in outcome.dropped.iter_rows()]


def test_the_earlier_of_two_copies_is_kept_and_named_as_the_reason() -> None:
    rows = conversation(1, "My order is late"), conversation(2, "my order IS late!")

    assert verdict(*rows) == ([1], [(2, "exact_duplicate", 1)])


def test_a_copy_with_another_word_is_a_near_duplicate_of_the_longer_one() -> None:
    rows = conversation(1, words(0)), conversation(2, words(0) + " thanks")

    assert verdict(*rows) == ([2], [(1, "near_duplicate", 2)])


def test_below_the_threshold_both_are_kept() -> None:
    rows = conversation(1, words(0)), conversation(2, words(0, 40) + words(1, 20))

    assert verdict(*rows) == ([1, 2], [])


def test_clusters_state_members_and_true_similarity() -> None:
    rows = [conversation(1, words(0)), conversation(2, words(0) + " thanks"), conversation(3, words(2))]

    found = dedupe(conversations(rows), params()).beside["clusters"]

    assert dict(found.schema) == CLUSTERS
    keeper = rows[1]["conversation_id"]
    assert sorted(found.rows()) == [
        (keeper, rows[0]["conversation_id"], False, round(56 / 57, 6)),
        (keeper, keeper, True, 1.0),
    ]


def test_kept_conversations_carry_the_cluster_they_stand_for() -> None:
    kept = dedupe(conversations([conversation(1, STORY), conversation(2, STORY)]), params()).kept

    assert dict(kept.schema) == DEDUPED
    assert kept["cluster_id"].to_list() == kept["conversation_id"].to_list()


@pytest.mark.parametrize(
    ("worse", "better"),
    [
        ({"turns": [turn("customer", STORY, origin="synthetic")]}, {}),
        (
            {"outcome": {"resolved": None, "csat": 1.0, "reopened": None}},
            {"outcome": {"resolved": True, "csat": None, "reopened": None}},
        ),
        ({"outcome": {"resolved": False, "csat": None, "reopened": None}}, {}),
        ({"outcome": {"resolved": True, "csat": None, "reopened": True}}, {}),
        ({"outcome": {"resolved": None, "csat": 0.2, "reopened": None}}, {}),
        ({}, {"outcome": {"resolved": None, "csat": 0.6, "reopened": None}}),
        ({"opened_at": None}, {}),
    ],
)
def test_the_better_one_is_kept_although_it_came_later(worse: dict[str, Any], better: dict[str, Any]) -> None:
    assert verdict(conversation(1, STORY, **worse), conversation(2, STORY, **better))[0] == [2]


def test_with_prefer_empty_the_earliest_is_kept_whatever_it_is_like() -> None:
    synthetic = conversation(1, turns=[turn("customer", words(0), origin="synthetic")])

    assert verdict(synthetic, conversation(2, words(0) + " longer"), prefer=[])[0] == [1]


def test_conversations_without_a_word_are_like_no_other() -> None:
    rows = conversation(1, ""), conversation(2, "?!"), conversation(3, turns=[]), conversation(4, turns=None)

    assert verdict(*rows) == ([1, 2, 3, 4], [])


def test_short_conversations_are_alike_only_with_the_same_words() -> None:
    rows = conversation(1, "thank you"), conversation(2, "Thank you."), conversation(3, "thank you all")

    assert verdict(*rows) == ([1, 3], [(2, "exact_duplicate", 1)])


def test_chinese_without_spaces_is_compared_by_character() -> None:
    text = "我的包裹星期一离开了仓库但是之后再也没有消息虽然跟踪页面显示已经交给邻居请问现在应该怎么办谢谢"
    rows = conversation(1, text), conversation(2, text + "啊"), conversation(3, text[::-1])

    assert verdict(*rows)[0] == [2, 3]


def test_thai_without_spaces_is_compared_by_character() -> None:
    text = "พัสดุของฉันออกจากคลังเมื่อวันจันทร์แต่หลังจากนั้นก็ไม่มีข่าวอีกเลยแม้ว่าหน้าติดตามจะบอกว่าส่งให้เพื่อนบ้านแล้วควรทำอย่างไรดี"
    rows = conversation(1, text), conversation(2, text + "ครับ"), conversation(3, text[::-1])

    assert verdict(*rows)[0] == [2, 3]


@pytest.mark.parametrize(("more", "least", "most"), [(10, 0.85, 1.0), (11, 0.0, 0.0)])
def test_pairs_at_the_threshold_are_found_and_those_a_shingle_below_never_are(more: int, least: float, most: float) -> None:
    # 40 shingles of the one are among the 50, or 51, of the other: 0.8, or 0.784; so near, bands find nine of ten pairs
    pairs = [
        conversation(2 * number + side, words(number, 44 + side * more), words(1000 + 2 * number + side, 0))
        for number in range(200)
        for side in (0, 1)
    ]

    kept, _ = verdict(*pairs)

    assert least <= (len(pairs) - len(kept)) / 200 <= most


def test_one_post_in_three_forums_is_one_whatever_stands_around_it() -> None:
    post = words(1, 80)
    rows = (
        conversation(1, post),
        conversation(2, f"[SOLVED] {post.upper()}\n\n-- \nsent from my phone"),
        conversation(3, f"> {post.replace(' ', '  ')}"),
        conversation(4, words(2, 80)),
    )

    assert verdict(*rows)[0] == [2, 4]


def test_a_chain_is_one_cluster_with_link_any_and_several_with_link_keeper() -> None:
    links = [conversation(number, " ".join(f"w{place}" for place in range(number * 4, number * 4 + 60))) for number in range(6)]

    assert verdict(*links)[0] == [0]
    assert verdict(*links, link="keeper")[0] == [0, 2, 4]


def test_with_link_keeper_every_dropped_one_is_similar_to_its_keeper() -> None:
    links = [conversation(number, " ".join(f"w{place}" for place in range(number * 3, number * 3 + 60))) for number in range(40)]

    found = dedupe(conversations(links), params(link="keeper")).beside["clusters"]

    assert found["similarity"].min() >= 0.8  # type: ignore[operator]  # of a Float64 column


def asked(number: int, question: str, answer: str) -> dict[str, Any]:
    return conversation(
        number, "agent: hello there", f"customer: {question}", "tool: looked up", f"bot: {answer}", f"customer: {words(number)}"
    )


def test_match_question_looks_at_the_first_customer_run_alone() -> None:
    rows = asked(1, STORY, words(11)), asked(2, STORY, words(12))

    assert verdict(*rows)[0] == [1, 2]
    assert verdict(*rows, match="question")[0] == [1]


def test_match_question_and_answer_looks_at_the_answer_too() -> None:
    rows = asked(1, STORY, words(11)), asked(2, STORY, words(12)), asked(3, STORY, words(12))

    assert verdict(*rows, match="question_and_answer")[0] == [1, 2]


def test_without_a_question_there_is_nothing_to_match() -> None:
    rows = conversation(1, "agent: we are closed today"), conversation(2, "agent: we are closed today")

    assert verdict(*rows, match="question") == ([1, 2], [])


def test_masked_numbers_make_one_template_one_cluster() -> None:
    rows = conversation(1, "parcel AB-1001 of 3 May is late"), conversation(2, "parcel AB-77 of 12 May is late")

    assert verdict(*rows)[0] == [1, 2]
    assert verdict(*rows, mask=["numbers"])[0] == [1]


def findings(*rows: tuple[int, str, int, int]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {"conversation_id": f"desk-{number:016x}", "turn_id": turn_id, "new_start": start, "new_end": end}
            for number, turn_id, start, end in rows
        ],
        schema_overrides={"new_start": pl.Int64, "new_end": pl.Int64},
    )


def test_masked_surrogates_are_found_by_their_offsets_in_characters() -> None:
    rows = [conversation(1, "👋 I am Ann Lee, hello", "hello Ann"), conversation(2, "👋 I am Bo, hello", "hello Bo")]
    found = findings((1, "t0", 7, 14), (1, "t1", 6, 9), (2, "t1", 6, 8), (2, "t0", 7, 9))

    assert dedupe(conversations(rows), params(mask=["surrogates"]), found).kept.height == 1
    assert dedupe(conversations(rows), params(), found).kept.height == 2


CANNED: Final = "thank you for waiting we have sent you a new one today"


def test_canned_replies_are_counted_and_kept_unless_capped() -> None:
    rows = [conversation(number, words(number), CANNED.upper() if number % 2 else CANNED) for number in range(5)]
    rows.append(conversation(9, words(9), words(10)))

    outcome = dedupe(conversations(rows), params())

    assert (outcome.kept.height, outcome.counts) == (6, {"canned_replies": 5})


def test_a_capped_template_keeps_the_preferred_and_names_the_first_of_them() -> None:
    rows = [
        conversation(number, words(number), CANNED, outcome={"resolved": number == 3, "csat": None, "reopened": None})
        for number in range(5)
    ]

    assert verdict(*rows, max_per_template=2) == ([0, 3], [(number, "template_limit", 3) for number in (1, 2, 4)])


def test_conversations_without_a_reply_share_no_template() -> None:
    rows = [conversation(number, words(number)) for number in range(3)]

    assert verdict(*rows, max_per_template=1)[0] == [0, 1, 2]


def test_dropped_copies_do_not_count_towards_the_limit() -> None:
    rows = conversation(1, words(1), CANNED), conversation(2, words(1), CANNED), conversation(3, words(3), CANNED)

    assert verdict(*rows, max_per_template=2) == ([1, 3], [(2, "exact_duplicate", 1)])


corpus = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9), st.booleans(), st.integers(0, 3)), min_size=1, max_size=25).map(
    lambda drawn: [
        conversation(
            number,
            words(story, 30) + " " + words(100 + ending, 4),
            outcome={"resolved": resolved, "csat": None, "reopened": None},
            opened_at=None if day == 0 else conversation(day)["opened_at"],
        )
        for number, (story, ending, resolved, day) in enumerate(drawn)
    ]
)


@given(corpus, st.sampled_from(["any", "keeper"]), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_row_order_changes_nothing(rows: list[dict[str, Any]], link: str, random: Any) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)
    one, other = (dedupe(conversations(given_rows), params(link=link)) for given_rows in (rows, shuffled))

    assert one.kept.sort("conversation_id").equals(other.kept.sort("conversation_id"))
    assert one.dropped.sort("conversation_id").equals(other.dropped.sort("conversation_id"))
    by = ["cluster_id", "conversation_id"]
    assert one.beside["clusters"].sort(by).equals(other.beside["clusters"].sort(by))


@given(corpus, st.sampled_from(["any", "keeper"]))
@settings(max_examples=60, deadline=None)
def test_nothing_vanishes_and_twice_is_once(rows: list[dict[str, Any]], link: str) -> None:
    once = dedupe(conversations(rows), params(link=link))
    once.account_for(pl.Series([row["conversation_id"] for row in rows]), "test")

    if link == "keeper":  # with chains, what is kept of one may be near to what is kept of another
        assert set(once.dropped["detail"]) <= set(once.kept["conversation_id"])
        return
    twice = dedupe(once.kept.drop("cluster_id"), params(link=link))
    assert twice.kept.equals(once.kept)


@given(corpus)
@settings(max_examples=25, deadline=None)
def test_without_numba_the_verdicts_are_the_same(rows: list[dict[str, Any]]) -> None:
    compiled = dedupe(conversations(rows), params())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(minhash, "kernel", lambda: None)
        patch.setattr(clusters, "kernel", lambda: None)
        plain = dedupe(conversations(rows), params())

    assert plain.kept.equals(compiled.kept)
    assert plain.beside["clusters"].equals(compiled.beside["clusters"])


def test_a_hundred_thousand_equals_and_their_near_copies_are_one_cluster_at_once() -> None:
    texts = [f"{STORY} {words(0, 20)}"] * 60_000 + [f"{STORY} {words(0, 20)} w{number}" for number in range(40_000)]
    frame = conversations([conversation(0, "x")])[np.zeros(len(texts), np.int64)].with_columns(
        conversation_id=pl.format("c{}", pl.int_range(pl.len()).cast(pl.String).str.zfill(6)),
        turns=pl.concat_list(pl.col("turns").list.first().struct.with_fields(text=pl.Series(texts))),
    )

    outcome = dedupe(frame, params(prefer=[]))

    assert outcome.kept["conversation_id"].to_list() == ["c000000"]
    assert dict(outcome.dropped["reason"].value_counts().iter_rows()) == {"exact_duplicate": 59_999, "near_duplicate": 40_000}


def scrubbed(folder: Path, rows: list[dict[str, Any]], cuts: list[int], *, with_findings: bool = True) -> Path:
    """A table `scrubbed` of these rows, cut into parts after these numbers of rows."""
    with new_table(folder, "scrub", "test", given=None) as writer:
        parts = []
        for start, end in zip([0, *cuts], [*cuts, len(rows)], strict=True):
            beside = {"findings": empty(FINDINGS)} if with_findings else {}
            name = f"part-{len(parts):05d}"
            parts.append(writer.write(name, {"seed": name}, Outcome(conversations(rows[start:end]), beside=beside)))
        writer.publish(parts)
    return folder


def crowd(count: int = 40) -> list[dict[str, Any]]:
    return [conversation(number, words(number % 7, 40), words(number % 3, 3)) for number in range(count)]


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_worker_count_changes_no_byte(tmp_path: Path) -> None:
    source = scrubbed(tmp_path / "scrubbed", crowd(), [5, 11, 12, 30])
    for workers in (1, 2):
        run(source, tmp_path / f"w{workers}", params(), Means(KEY, workers))

    assert content(tmp_path / "w1") == content(tmp_path / "w2")


def test_part_cuts_change_no_verdict(tmp_path: Path) -> None:
    found = []
    for number, cuts in enumerate([[], [7], [7, 7, 20]]):
        source = scrubbed(tmp_path / f"scrubbed{number}", crowd(), cuts)
        run(source, tmp_path / f"deduped{number}", params(), MEANS)
        table = Table(tmp_path / f"deduped{number}")
        assert len(table.manifest.parts) == len(cuts) + 1
        found.append([table.scan(frame).collect().rows() for frame in ("kept", "dropped", "clusters")])

    assert found[0] == found[1] == found[2]


def test_without_an_index_no_file_is_left_but_the_table(tmp_path: Path) -> None:
    run(scrubbed(tmp_path / "scrubbed", crowd(), [7]), tmp_path / "deduped", params(index=None), MEANS)

    assert {path.parent.name for path in (tmp_path / "deduped").rglob("*.*")} == {"deduped", "kept", "dropped", "clusters"}
    assert {path.name for path in tmp_path.iterdir()} == {"scrubbed", "deduped"}


def test_a_part_with_the_same_verdicts_is_not_made_again(tmp_path: Path) -> None:
    rows = crowd()
    run(scrubbed(tmp_path / "scrubbed", rows, [20]), tmp_path / "deduped", params(), MEANS)
    kept = tmp_path / "deduped/kept"
    before = {path.name: path.stat().st_ino for path in kept.iterdir()}

    run(scrubbed(tmp_path / "scrubbed", [*rows, conversation(90, words(90))], [20, 40]), tmp_path / "deduped", params(), MEANS)

    after = {path.name: path.stat().st_ino for path in kept.iterdir()}
    assert {name: after[name] for name in before} == before
    assert len(after) == 3


def test_a_part_is_made_again_when_a_later_one_takes_over_its_cluster(tmp_path: Path) -> None:
    rows = [conversation(1, words(0)), conversation(2, words(1))]
    run(scrubbed(tmp_path / "scrubbed", rows, [1]), tmp_path / "deduped", params(), MEANS)

    run(
        scrubbed(tmp_path / "scrubbed", [*rows, conversation(3, words(0) + " more")], [1, 2]),
        tmp_path / "deduped",
        params(),
        MEANS,
    )

    table = Table(tmp_path / "deduped")
    assert [part.rows["kept"] for part in table.manifest.parts] == [0, 1, 1]


def test_what_other_code_remembered_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, chosen = scrubbed(tmp_path / "given", crowd(), [20]), params(index="index")
    run(source, tmp_path / "deduped", chosen, MEANS)
    before = set(content(tmp_path / "index"))
    monkeypatch.setattr("pipeline.dedupe.code_digest", lambda: "other")
    run(source, tmp_path / "deduped", chosen, MEANS)

    sketches = {name for name in before if "sketch" in name}
    assert sketches
    assert not sketches & set(content(tmp_path / "index"))


def test_an_empty_table_stays_empty(tmp_path: Path) -> None:
    run(scrubbed(tmp_path / "scrubbed", [], []), tmp_path / "deduped", params(), MEANS)

    assert Table(tmp_path / "deduped").manifest.total("kept") == 0


def test_rows_that_never_went_through_scrub_are_refused(tmp_path: Path) -> None:
    with new_table(tmp_path / "ingested", "ingest", "test", given=None) as writer:
        writer.publish([])

    with pytest.raises(TableError, match="its rows never went through scrub; run that stage first"):
        run(tmp_path / "ingested", tmp_path / "deduped", params(), MEANS)


def test_masking_surrogates_without_findings_is_refused(tmp_path: Path) -> None:
    source = scrubbed(tmp_path / "scrubbed", crowd(3), [], with_findings=False)

    with pytest.raises(TableError, match=r"has no findings; run scrub again or take 'surrogates' from dedupe\.mask"):
        run(source, tmp_path / "deduped", params(mask=["surrogates"]), MEANS)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bands": 15}, "15 bands of 8 rows need 120 permutations"),
        ({"bands": None}, "bands and rows are both numbers or both null"),
    ],
)
def test_bands_that_do_not_fit_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        params(**change)


def test_bands_and_rows_may_be_left_to_the_optimiser_of_datasketch() -> None:
    recipe = params(bands=None, rows=None).recipe()

    assert (recipe.bands, recipe.rows) == (9, 12)


def test_the_shipped_section_explains_every_key() -> None:
    file = Path(__file__).parents[2] / "params.yaml"
    lines = file.read_text("utf-8").splitlines()
    start = lines.index("dedupe:")

    assert set(yaml.safe_load("\n".join(lines))["dedupe"]) == set(DedupeParams.model_fields)
    assert lines[start + 1].lstrip().startswith("#")


def test_clusters_are_those_of_brute_force_but_for_what_the_bands_miss() -> None:
    rng = np.random.default_rng(5)
    base = rng.integers(0, 400, (60, 50))
    rows = []
    for number in range(300):
        text = base[number % 60].copy()
        changed = rng.integers(0, 50, int(rng.integers(0, 4)))
        text[changed] = rng.integers(0, 400, len(changed))
        rows.append(conversation(number, " ".join(f"w{word}" for word in text)))

    outcome = dedupe(conversations(rows), params())

    shingles = [
        {tuple(words_[place : place + 5]) for place in range(46)} for words_ in (row["turns"][0]["text"].split() for row in rows)
    ]
    edges = [
        (a, b) for a in range(300) for b in range(a) if len(shingles[a] & shingles[b]) / len(shingles[a] | shingles[b]) >= 0.8
    ]
    clusters_by_force = len(set(clusters.join(np.arange(300), *np.array(edges).T).tolist()))
    # at exactly 0.8 a pair shares one of 14 bands of 8 with probability 1 - (1 - 0.8**8)**14 = 0.92
    assert clusters_by_force <= outcome.kept.height <= clusters_by_force + 0.08 * (300 - clusters_by_force)
