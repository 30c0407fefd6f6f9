"""M15 leak bound, M16 planted recall, M17 residuals and secrets, M18 singling-out, M19 egress, M20 provenance."""

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Final

import polars as pl

from checks.bounds import lower, upper
from checks.readiness.audited import audited, unaudited_source
from checks.readiness.corpus import Corpus
from checks.readiness.evidence import Evidence
from checks.readiness.identifiers import LIVE, find, suspects
from checks.readiness.masking import read_surrogates, said
from checks.readiness.measured import MAX_RECORDS, Measured, Reading, share_of, unknown
from checks.readiness.settings import ReadinessParams
from pipeline.errors import ParamsError


def read(corpus: Corpus, evidence: Evidence, params: ReadinessParams) -> Reading:
    """All privacy measures; of the whole set, for one leak in one topic is in the one model."""
    residuals, listed = _residuals(corpus, params)
    recall, cells = _recall(evidence, params)
    unique, histogram = _singling_out(corpus, params)
    values = [
        *_leaks(corpus, evidence),
        *recall,
        *residuals,
        *unique,
        _egress(corpus, evidence, params),
        *_provenance(corpus, params),
    ]
    return Reading(
        tuple(values), {"residuals": listed, "planted_recall": cells, "k_map": histogram, "sent": _sent(corpus, evidence, params)}
    )


def _leaks(corpus: Corpus, evidence: Evidence) -> list[Measured]:
    """M15: audited conversations of this export, as they read now."""
    names = ("leaks_found", "leaks_ever_found", "audits_changed", "leak_upper")
    audit = evidence.get("audit")
    if audit is None:
        return unknown("M15", "no audit; draw a sheet with `ticketmill readiness sample`", *names)
    judged = audited(corpus, audit, pl.col("identifier_left")).filter("is_of_whole")
    if judged.is_empty():
        return unknown("M15", "no audited conversation is in this export", *names)
    n = judged.height
    leaking, changed = (judged.filter(name)["conversation_id"].to_list() for name in ("stands_at_fault", "is_changed"))
    found = Measured("M15", "leaks_found", float(len(leaking)), n=n, records=tuple(leaking[:MAX_RECORDS]))
    ever = Measured("M15", "leaks_ever_found", float(judged["was_at_fault"].sum()), n=n)
    again = Measured("M15", "audits_changed", float(len(changed)), n=n, records=tuple(changed[:MAX_RECORDS]))
    if source := unaudited_source(corpus, judged):
        return [found, ever, again, *unknown("M15", f"no conversation of {source} was audited", "leak_upper")]
    return [found, ever, again, Measured("M15", "leak_upper", upper(int(judged["counts"].sum()), n), n=n)]


CHECKSUM_TYPES: Final = frozenset(
    {"EMAIL_ADDRESS", "CREDIT_CARD", "IBAN_CODE", "UK_NHS", "ES_NIF", "IT_FISCAL_CODE", "PL_PESEL", "AU_ABN", "AU_TFN", "CRYPTO"}
)
"""Types that a checksum or an @ gives away: nothing short of 99 % is good enough for them."""

SEPARATE_ODDITIES: Final = frozenset({"spelled_out", "spelled", "spaced", "typo", "typos"})
"""Shown in the heat table, but not held to the limits of plainly written values."""


def _recall(evidence: Evidence, params: ReadinessParams) -> tuple[list[Measured], pl.DataFrame]:
    """M16: lower bound per cell of entity type x group, less its limit; the worst cell decides."""
    names = ("planted_shortfall", "planted_shortfall_with_misses", "recall_gap")
    planted = evidence.get("planted")
    empty = pl.DataFrame(schema={"entity_type": pl.String, "group": pl.String, "oddity": pl.String})
    if planted is None or planted["planted"].sum() == 0:
        return unknown("M16", "no planted values; run `ticketmill readiness plant`", *names), empty
    odd = pl.col("oddity").str.to_lowercase().is_in(list(SEPARATE_ODDITIES))
    cells = (
        planted.with_columns(pl.col("group", "oddity").fill_null(""))
        .with_columns(oddity=pl.when(odd).then("oddity").otherwise(pl.lit("")))
        .group_by("entity_type", "group", "oddity")
        .agg(pl.col("planted", "found").sum())
        .filter(pl.col("planted") > 0)
        .sort("entity_type", "group", "oddity")
    )
    limits = params.limits
    # the limit of a checksum type holds for the type, that of a name for each group of names
    pooled = (
        cells.filter(pl.col("oddity") == "")
        .with_columns(is_name=pl.col("entity_type") == "PERSON")
        .group_by("entity_type", group=pl.when("is_name").then("group").otherwise(pl.lit("")))
        .agg(pl.col("planted", "found").sum())
        .sort("entity_type", "group")
    )
    shortfall = with_misses = 0.0
    for kind, _, many, found in pooled.iter_rows():
        limit = limits.min_recall_ids if kind in CHECKSUM_TYPES else limits.min_recall_names
        short = max(0.0, limit - lower(found, many))
        shortfall = max(shortfall, short)
        if found < many:
            with_misses = max(with_misses, short)
    names_only = pooled.filter(pl.col("entity_type") == "PERSON")
    rates = (names_only["found"] / names_only["planted"]).to_list()
    n = int(planted["planted"].sum())
    values = [
        Measured("M16", "planted_shortfall", shortfall, n=n),
        Measured("M16", "planted_shortfall_with_misses", with_misses, n=n),
    ]
    if len(rates) > 1:
        values.append(Measured("M16", "recall_gap", max(rates) - min(rates), n=n))
    else:
        values += unknown("M16", "names of fewer than two groups were planted", "recall_gap")
    bounds = [lower(found, many) for many, found in cells.select("planted", "found").iter_rows()]
    return values, cells.with_columns(
        recall=pl.col("found") / pl.col("planted"), recall_lower=pl.Series(bounds, dtype=pl.Float64)
    )


def _residuals(corpus: Corpus, params: ReadinessParams) -> tuple[list[Measured], pl.DataFrame]:
    """M17, over every exported conversation, sample or not: values stay in memory, ids and counts leave."""
    try:
        allowed = [re.compile(pattern, re.IGNORECASE) for pattern in params.allowed_values]
    except re.error as error:
        raise ParamsError("readiness.allowed_values: an entry is not a regular expression") from error
    hits, words = _find_all(corpus)
    known = {**corpus.surrogates}
    if rest := {one for one, *_ in hits} - set(corpus.conversations["conversation_id"].to_list()):
        known |= read_surrogates(corpus.line, rest)[0]
    where: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for conversation, turn, kind, value in hits:
        if not is_surrogate(value, known.get(conversation, frozenset())) and not any(p.search(value) for p in allowed):
            where[kind, value].append((conversation, turn))
    live = {key: places for key, places in where.items() if key[0] in LIVE}
    repeated = {key: places for key, places in where.items() if key[0] not in LIVE and len(places) > 1}
    found = sum(len(places) for places in where.values())
    n = corpus.exported
    values = [
        Measured("M17", "secrets", float(sum(map(len, live.values()))), n=n, records=_ids(live), detail=_by_kind(live)),
        Measured("M17", "repeated_residuals", float(len(repeated)), n=n, records=_ids(repeated), detail=_by_kind(repeated)),
        Measured("M15", "second_detector_per_1000_words", 1000 * found / max(words, 1), n=words),
    ]
    rows = sorted(
        (kind, len(places), len({one for one, _ in places}), kind in LIVE, *min(places))
        for (kind, _), places in where.items()
        if kind in LIVE or len(places) > 1
    )
    schema = {
        "kind": pl.String,
        "occurrences": pl.Int64,
        "conversations": pl.Int64,
        "live": pl.Boolean,
        "such_as": pl.String,
        "turn": pl.String,
    }
    return values, pl.DataFrame(rows, schema=schema, orient="row").sort(
        "live", "occurrences", "such_as", descending=[True, True, False]
    )


def _find_all(corpus: Corpus) -> tuple[list[tuple[str, str, str, str]], int]:
    """(conversation, turn, kind, value) of every hit in the export, read part by part; and the number of words."""
    validated = corpus.line["validate"]
    exported: pl.Series | None = None
    if chat := corpus.line.get("emit"):
        exported = pl.concat([chat.read(part, columns=["conversation_id"]) for part in chat.manifest.parts])["conversation_id"]
    hits: list[tuple[str, str, str, str]] = []
    words = 0
    for part in validated.manifest.parts:
        rows = validated.read(part, columns=["conversation_id", "turns"])
        if exported is not None:
            rows = rows.filter(pl.col("conversation_id").is_in(exported.implode()))
        turns = rows.explode("turns").drop_nulls()
        texts = turns.select("conversation_id", turn=pl.col("turns").struct.field("turn_id"), text=said(pl.col("turns")))
        words += int(texts["text"].str.count_matches(r"\S+").sum())
        for conversation, turn, text in texts.filter(suspects(texts["text"])).iter_rows():
            hits += [(conversation, turn, hit.kind, hit.value) for hit in find(text)]
    return hits, words


LEAST_PIECE: Final = 3
"""Characters of a stand-in that may be a piece of a value."""


def is_surrogate(value: str, surrogates: frozenset[str]) -> bool:
    """Whether scrub itself wrote the value: whole, in pieces, or but for its edges.

    >>> is_surrogate("@merosoden_harle", frozenset({"merosoden", "https://x.example.com/u/", "_harle"}))
    True
    """
    digits = re.sub(r"\D", "", value)
    for known in surrogates:
        if value.strip("@") in known or (known in value and 2 * len(known) > len(value)):
            return True
        if digits and len(digits) > 6 and digits in re.sub(r"\D", "", known):  # noqa: PLR2004  # a card with other spaces
            return True
    left = value
    for known in sorted(surrogates, key=lambda each: (-len(each), each)):
        if len(known) >= LEAST_PIECE:
            left = left.replace(known, "")
    return 2 * len(left) < len(value)


def _ids(found: Mapping[tuple[str, str], list[tuple[str, str]]]) -> tuple[str, ...]:
    return tuple(sorted({one for places in found.values() for one, _ in places})[:MAX_RECORDS])


def _by_kind(found: Mapping[tuple[str, str], list[tuple[str, str]]]) -> str:
    """How many values of each kind, and the conversation and turn of the first."""
    kinds: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for (kind, _), places in sorted(found.items()):
        kinds[kind].append(min(places))
    return "; ".join(
        f"{len(firsts)} {kind}, such as in {min(firsts)[0]}, turn {min(firsts)[1]}" for kind, firsts in sorted(kinds.items())
    )


def _singling_out(corpus: Corpus, params: ReadinessParams) -> tuple[list[Measured], pl.DataFrame]:
    """M18: conversations that are alone, or among fewer than 5, with their quasi-identifiers."""
    names = ("unique_share", "below_k5_share")
    none = pl.DataFrame(schema={"k": pl.String, "conversations": pl.Int64})
    if not params.quasi_identifiers:
        return unknown("M18", "no quasi-identifiers are declared", *names), none
    rows = corpus.conversations.with_columns(day=pl.col("opened_at").dt.date().cast(pl.String))
    if strange := [name for name in params.quasi_identifiers if name not in rows.columns]:
        raise ParamsError(f"readiness.quasi_identifiers: no column {strange[0]!r}; use channel, language, product, day or topic")
    if rows.is_empty():
        return unknown("M18", "no conversation", *names), none
    sizes = rows.with_columns(k=pl.len().over(params.quasi_identifiers))["k"]
    bins = pl.DataFrame({"least": sizes}).with_columns(
        k=pl.when(pl.col("least") == 1)
        .then(pl.lit("1"))
        .when(pl.col("least") < 5)  # noqa: PLR2004  # the k of the spec, and a name of a bin
        .then(pl.lit("2-4"))
        .when(pl.col("least") < 20)  # noqa: PLR2004  # a bin
        .then(pl.lit("5-19"))
        .otherwise(pl.lit("20+"))
    )
    return [
        Measured("M18", "unique_share", share_of(sizes == 1), n=rows.height),
        Measured("M18", "below_k5_share", share_of(sizes < 5), n=rows.height),  # noqa: PLR2004  # k = 5
    ], bins.group_by("k").agg(pl.col("least").min(), conversations=pl.len()).sort("least").drop("least")


def _egress(corpus: Corpus, evidence: Evidence, params: ReadinessParams) -> Measured:
    """M19: records that reached a model before scrub had seen them, by the lineage of the tables and the owner's own list."""
    stages = list(corpus.line)
    sent = 0
    models = corpus.turns.filter(pl.col("provider").is_not_null() & ~pl.col("provider").is_in(params.offline_providers))
    if "scrub" not in stages:
        if not models.is_empty():
            sent += models["conversation_id"].n_unique()
        elif "ingest" not in stages:
            return unknown("M19", "the line has neither an ingested nor a scrubbed table", "unscrubbed_sent")[0]
    elif "generate" in stages and stages.index("generate") < stages.index("scrub"):
        sent += models["conversation_id"].n_unique()
    listed = evidence.get("sent")
    if listed is not None:
        sent += int(listed.filter(~pl.col("scrubbed"))["records"].sum())
    return Measured("M19", "unscrubbed_sent", float(sent), n=corpus.exported)


def _sent(corpus: Corpus, evidence: Evidence, params: ReadinessParams) -> pl.DataFrame:
    """endpoint, model, records, scrubbed: what models were sent, by this line and by the owner's own list."""
    schema = {"endpoint": pl.String, "model": pl.String, "records": pl.Int64, "scrubbed": pl.Boolean}
    stages = list(corpus.line)
    was_scrubbed = "scrub" in stages and ("generate" not in stages or stages.index("scrub") < stages.index("generate"))
    asked = corpus.turns.filter(pl.col("provider").is_not_null() & ~pl.col("provider").is_in(params.offline_providers))
    own = asked.group_by(endpoint="provider", model="model").agg(records=pl.col("conversation_id").n_unique().cast(pl.Int64))
    listed = evidence.get("sent")
    frames = [own.with_columns(scrubbed=pl.lit(was_scrubbed)).select(list(schema)), *([] if listed is None else [listed])]
    return pl.concat(frames).sort("records", "endpoint", "model", "scrubbed", descending=[True, False, False, False])


def _provenance(corpus: Corpus, params: ReadinessParams) -> list[Measured]:
    """M20: records of which source, date, purpose, legal basis and erase-by date are known, and the terms of any model."""
    if not params.statements:
        return unknown("M20", "nothing is stated about any source (readiness.statements)", "provenance")
    rows = corpus.conversations
    if rows.is_empty():
        return unknown("M20", "no conversation", "provenance")
    stated = {source: bool(one.purpose and one.legal_basis and one.retain_until) for source, one in params.statements.items()}
    dated = [source for source, one in params.statements.items() if one.collected]
    complete = [source for source, whole in stated.items() if whole]
    unnamed = (
        corpus.turns.filter(pl.col("model").is_not_null() & ~pl.col("model").is_in(list(params.generators)))
        .filter(~pl.col("provider").is_in(params.offline_providers))["conversation_id"]
        .unique()
    )
    good = (
        pl.col("source").is_in(complete)
        & (pl.col("opened_at").is_not_null() | pl.col("source").is_in(dated))
        & ~pl.col("conversation_id").is_in(unnamed.implode())
    )
    missing = rows.filter(~good.fill_null(value=False))["conversation_id"].to_list()
    share = 1 - len(missing) / rows.height
    return [Measured("M20", "provenance", share, n=rows.height, records=tuple(sorted(missing)[:MAX_RECORDS]))]
