"""A recognizer as finders: each looks for one pattern or one region's numbers, and says what a text must hold for it."""

from collections.abc import Iterator, Mapping
from functools import cache, partial, reduce
from typing import Any, Final

import regex  # type: ignore[import-untyped]  # comes without stubs
from phonenumbers import PhoneMetadata, phonenumberutil
from presidio_analyzer import EntityRecognizer, Pattern, PatternRecognizer, RecognizerResult
from presidio_analyzer.predefined_recognizers import PhoneRecognizer

from pipeline.analysis.conditions import CONDITIONS
from pipeline.analysis.needs import WIDEST, Need
from pipeline.analysis.seen_text import Condition, Find, Finder, SeenText

AFTER: Final = 64
"""Characters that are seen after the place where such a match must end, for what must or must not follow it."""

SHORTEST_PHONE: Final = 4
"""Digits of the shortest number, with its country code, that phonenumbers calls valid anywhere."""

PHONE_PUNCTUATION: Final = phonenumberutil._VALID_PUNCTUATION  # noqa: SLF001  # no public name


def finders_of(recognizer: EntityRecognizer) -> list[tuple[Need, Finder]]:
    """What a text must hold, and who then looks: one pair per pattern or region where that can be told, else one for all."""
    if isinstance(recognizer, PatternRecognizer):
        flags = int(recognizer.global_regex_flags or 0)
        patterns: list[Pattern] = recognizer.patterns  # type: ignore[has-type]  # untyped there
        needs = [Need.of(pattern.regex, flags) for pattern in patterns]
        if type(recognizer).analyze is PatternRecognizer.analyze:
            return [
                (need, _pattern_finder(recognizer, pattern, need, flags, _condition(recognizer, pattern)))
                for need, pattern in zip(needs, patterns, strict=True)
            ]
        return [(reduce(Need.either, needs), partial(_ask, recognizer))]
    if isinstance(recognizer, PhoneRecognizer):
        return _phone_finders(recognizer)
    if (may_find := getattr(recognizer, "may_find", None)) is not None:
        return [(Need(), lambda text: _ask(recognizer, text) if may_find(text.text) else [])]
    return [(Need(), partial(_ask, recognizer))]


def _condition(recognizer: PatternRecognizer, pattern: Pattern) -> Condition | None:
    """Ours come with their own, by name of the pattern."""
    own: Mapping[str, Condition] = getattr(recognizer, "conditions", {})
    return own.get(str(pattern.name)) or CONDITIONS.get((type(recognizer).__name__, str(pattern.name)))


def _ask(recognizer: EntityRecognizer, text: SeenText) -> list[Find]:
    no_artifacts: Any = None  # recognizers that read patterns take None, whatever their annotation says
    results: list[RecognizerResult] = recognizer.analyze(text.text, recognizer.supported_entities, no_artifacts) or []
    return [(result.start, result.end, result.entity_type, result.score) for result in results]


def _phone_finders(recognizer: PhoneRecognizer) -> list[tuple[Need, Finder]]:
    """PhoneRecognizer one region at a time, each where digits stand close enough for the region's shortest number."""
    return [
        (Need(digits=SHORTEST_PHONE), _phone_finder(recognizer, region, _shortest_number(region)))
        for region in recognizer.supported_regions
    ]


def _shortest_number(region: str) -> int:
    metadata = PhoneMetadata.metadata_for_region(region)
    plan = metadata.general_desc if metadata is not None else None
    if metadata is None or plan is None:
        return SHORTEST_PHONE
    # where a rule completes numbers dialled without their area code, those count too
    local = plan.possible_length_local_only if metadata.national_prefix_transform_rule else ()
    return max(SHORTEST_PHONE, min((*plan.possible_length, *local)))


def _phone_finder(recognizer: PhoneRecognizer, region: str, shortest: int) -> Finder:
    domestic, foreign = (
        regex.compile(rf"\d(?:[{PHONE_PUNCTUATION}]{{0,8}}\d){{{digits - 1}}}") for digits in (shortest, SHORTEST_PHONE)
    )
    one = PhoneRecognizer(recognizer.context, supported_regions=(region,), leniency=recognizer.leniency)
    one.supported_entities = recognizer.supported_entities

    def find(text: SeenText) -> list[Find]:
        near = foreign if "+" in text.text or "\uff0b" in text.text else domestic
        return _ask(one, text) if near.search(text.text) else []

    return find


def _pattern_finder(
    recognizer: PatternRecognizer, pattern: Pattern, need: Need, flags: int, may_match: Condition | None
) -> Finder:
    """One pattern of PatternRecognizer.analyze, without the explanations, and only near digits where that is enough."""
    compiled = cache(lambda: regex.compile(pattern.regex, flags=flags))  # a night's few texts come near few of 277
    entity_type = recognizer.supported_entities[0]
    width = (
        next((rounded for rounded in (16, WIDEST) if need.width is not None and need.width <= rounded), 0) if need.digits else 0
    )

    def matches(text: SeenText) -> Iterator[tuple[int, int, float]]:
        stretches = text.near_digits(width) if width else [(0, len(text.text))]
        for start, end in stretches:
            for match in compiled().finditer(text.text, start, min(len(text.text), end + AFTER)):
                if width and match.start() >= end:
                    break  # belongs to the next stretch, which sees all of what follows it
                if (value := match.group()) and (score := scored(value)):
                    yield *match.span(), score

    def scored(value: str) -> float:
        valid = recognizer.validate_result(value)
        score = pattern.score if valid is None else EntityRecognizer.MAX_SCORE if valid else EntityRecognizer.MIN_SCORE
        return 0.0 if score and recognizer.invalidate_result(value) else float(score)

    def find(text: SeenText) -> list[Find]:
        if may_match is not None and not text.meets(may_match):
            return []
        return [(start, end, entity_type, score) for start, end, score in matches(text)]

    return find
