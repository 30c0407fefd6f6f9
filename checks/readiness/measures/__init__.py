"""What is measured: one file per metric family, one entry here."""

from collections.abc import Callable, Mapping
from typing import Final

from checks.readiness.corpus import Corpus
from checks.readiness.evidence import Evidence
from checks.readiness.measured import Reading
from checks.readiness.measures import (
    audits,
    boundary,
    coverage,
    economics,
    knowledge,
    learning,
    naming,
    origin,
    parity,
    pilots,
    privacy,
    shift,
    splits,
    style,
    turns,
    volume,
)
from checks.readiness.settings import ReadinessParams

MEASURES: Final[Mapping[str, Callable[[Corpus, Evidence, ReadinessParams], Reading]]] = {
    "volume": volume.read,
    "privacy": privacy.read,
    "audits": audits.read,
    "coverage": coverage.read,
    "knowledge": knowledge.read,
    "turns": turns.read,
    "style": style.read,
    "splits": splits.read,
    "origin": origin.read,
    "boundary": boundary.read,
    "shift": shift.read,
    "parity": parity.read,
    "naming": naming.read,
    "learning": learning.read,
    "economics": economics.read,
    "pilots": pilots.read,
}
