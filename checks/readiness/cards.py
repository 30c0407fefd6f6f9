"""Dataset cards from what was measured: Hugging Face, datasheet questions, Croissant with its RAI vocabulary, an evidence sheet.

Every line is marked `measured` or `stated by owner`; what is neither says so. Sources: Gebru 2021, "Datasheets for datasets";
MLCommons Croissant 1.1 and Croissant RAI 1.0 (read November 2026); Regulation (EU) 2024/1689, article 10.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from checks.readiness.advice import show
from checks.readiness.assess import Assessment

UNKNOWN: Final = "neither measured nor stated"


def _measured(assessment: Assessment, measure: str, sentence: str) -> str:
    found = assessment.values.own(measure, None)
    if found is None or found.value is None:
        return f"{sentence.partition('{')[0].strip()}: {UNKNOWN}" + (f" ({found.unknown})" if found and found.unknown else "")
    n = f", n = {found.n:,}" if found.n else ""
    return f"{sentence.format(show(found.value, measure))} (measured{n})"


def _stated(assessment: Assessment, field: str) -> str:
    parts = [
        f"{source}: {value}" for source, one in sorted(assessment.params.statements.items()) if (value := getattr(one, field))
    ]
    return f"{'; '.join(parts)} (stated by owner)" if parts else UNKNOWN


def _facts(assessment: Assessment) -> dict[str, list[str]]:
    def measured(measure: str, sentence: str) -> str:
        return _measured(assessment, measure, sentence)

    return {
        "composition": [
            measured("examples", "Exported conversations {}"),
            measured("effective_examples", "Of which are no near-duplicates {}"),
            measured("multi_turn_share", "Share with more than one exchange {}"),
            measured("synthetic_share", "Share in which a model wrote {}"),
            measured("train_tokens", "Tokens in training {}"),
        ],
        "collection": [
            f"Latest conversation: {assessment.data_until or UNKNOWN} (measured)",
            f"Purpose: {_stated(assessment, 'purpose')}",
            f"Legal basis or licence: {_stated(assessment, 'legal_basis')}",
            f"Collected: {_stated(assessment, 'collected')}",
            f"Consent: {_stated(assessment, 'consent')}",
            f"Kept until: {_stated(assessment, 'retain_until')}",
            measured("provenance", "Records with complete provenance {}"),
        ],
        "personal": [
            measured("leak_upper", "Share of conversations with an identifier left is at most {}"),
            measured("leaks_found", "Identifiers found by auditors {}"),
            measured("planted_shortfall", "Shortfall of planted recall below its limit {}"),
            measured("secrets", "Secrets found {}"),
            measured("repeated_residuals", "Identifiers that repeat {}"),
            measured("unique_share", "Conversations alone with their quasi-identifiers {}"),
        ],
        "quality": [
            measured("defect_upper", "Share of answers with a defect is at most {}"),
            measured("agreement", "Like questions answered alike {}"),
            measured("outdated_share", "Answers out of date over a retrain cycle {}"),
            measured("ungrounded_share", "Answers with specifics nothing before them holds {}"),
            measured("coverage", "Later questions with a like one in training {}"),
            measured("near_copies", "Held-out conversations with a near-copy in training {}"),
        ],
        "bias": [
            measured("lost_slices", "Slices of customers that curation removes more than others {}"),
            measured("worst_survival_ratio", "Smallest survival of a slice against all {}"),
            measured("answer_gaps", "Gaps in how slices are answered {}"),
            measured("recall_gap", "Gap of scrub's recall between groups of names {}"),
        ],
        "limits": [
            f"Readiness verdict: {assessment.verdict}",
            f"Missing evidence: {', '.join(sorted(assessment.missing_evidence)) or 'none'}",
            "This is evidence, not a statement of compliance with any law.",
        ],
    }


def hugging_face(assessment: Assessment) -> str:
    """A README for the hub, without the licence line that only the owner can write."""
    facts = _facts(assessment)
    size = assessment.exported
    category = next(name for most, name in SIZES if size < most)
    head = [
        "---",
        "task_categories:",
        "- text-generation",
        "size_categories:",
        f"- {category}",
        "tags:",
        "- customer-support",
        "---",
        "",
    ]
    body = ["# Customer support conversations", ""]
    for heading, name in HEADINGS.items():
        body += [f"## {heading}", "", *(f"- {line}" for line in facts[name]), ""]
    return "\n".join([*head, *body])


SIZES: Final = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10**18, "n>1M"),
)

HEADINGS: Final = {
    "Composition": "composition",
    "Collection": "collection",
    "Personal and sensitive information": "personal",
    "Quality": "quality",
    "Bias": "bias",
    "Limits": "limits",
}

QUESTIONS: Final = {
    "For what purpose was the dataset created?": ("collection", 1),
    "How many instances are there in total?": ("composition", 0),
    "Is there any redundancy?": ("composition", 1),
    "Are there recommended data splits, and do they leak?": ("quality", 5),
    "Are there errors or sources of noise?": ("quality", 0),
    "Does the dataset contain data that might be considered confidential?": ("personal", 3),
    "Is it possible to identify individuals, directly or indirectly?": ("personal", 0),
    "Over what time frame was the data collected?": ("collection", 0),
    "Did the individuals consent?": ("collection", 4),
    "Was any preprocessing done, and does it remove some groups more than others?": ("bias", 0),
    "If others want to keep the data, for how long may they?": ("collection", 5),
}


def datasheet(assessment: Assessment) -> str:
    """Those questions of a datasheet that measures answer."""
    facts = _facts(assessment)
    lines = ["# Datasheet", ""]
    for question, (name, number) in QUESTIONS.items():
        lines += [f"**{question}**", "", facts[name][number], ""]
    return "\n".join(lines)


def croissant(assessment: Assessment) -> str:
    """JSON-LD with the slots of Croissant RAI filled."""
    facts = _facts(assessment)

    def joined(name: str) -> str:
        return ". ".join(facts[name])

    content: Mapping[str, Any] = {
        "@context": {
            "@vocab": "https://schema.org/",
            "sc": "https://schema.org/",
            "cr": "http://mlcommons.org/croissant/",
            "rai": "http://mlcommons.org/croissant/RAI/",
            "dct": "http://purl.org/dc/terms/",
            "conformsTo": "dct:conformsTo",
        },
        "@type": "sc:Dataset",
        "name": "customer-support-conversations",
        "description": joined("composition"),
        "conformsTo": ["http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0"],
        "version": assessment.fingerprint,
        "rai:dataCollection": joined("collection"),
        "rai:dataCollectionTimeframe": assessment.data_until or UNKNOWN,
        "rai:dataPreprocessingProtocol": [f"stage {stage}" for stage in assessment.stages],
        "rai:dataBiases": facts["bias"],
        "rai:dataLimitations": [*facts["quality"], *facts["limits"]],
        "rai:personalSensitiveInformation": facts["personal"],
        "rai:machineAnnotationTools": [f"ticketmill {stage}" for stage in assessment.stages],
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def evidence_sheet(assessment: Assessment) -> str:
    """What Art. 10 of the AI Act asks about, beside what was measured; no judgement of compliance."""
    facts = _facts(assessment)
    asked = {
        "Relevance": [facts["quality"][4]],
        "Representativeness": facts["bias"][:3],
        "Errors": [facts["quality"][0], facts["quality"][1]],
        "Completeness": [facts["collection"][6], facts["composition"][1]],
        "Data collection processes and origin": facts["collection"],
        "Examination of possible biases": facts["bias"],
        "Special categories and personal data": facts["personal"],
        "Gaps and shortcomings": facts["limits"],
    }
    lines = ["# Evidence sheet in the order of Regulation (EU) 2024/1689, article 10", ""]
    lines += ["Article 10 binds high-risk systems; whether it applies is for the owner to say. Evidence, not compliance.", ""]
    for heading, found in asked.items():
        lines += [f"## {heading}", "", *(f"- {line}" for line in found), ""]
    return "\n".join(lines)


CARDS: Final = {"hf": hugging_face, "datasheet": datasheet, "croissant": croissant, "article10": evidence_sheet}
"""Name of a format -> the card as text."""
