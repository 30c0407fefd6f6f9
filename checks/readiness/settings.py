"""Section `readiness` of params.yaml: what the owner declares about the set, and every limit a verdict rests on."""

from typing import Literal

from pydantic import Field

from pipeline.params import Section

Goal = Literal["style", "routing", "troubleshooting", "knowledge", "cost"]


class Style(Section):
    """What every answer must look like; a rule that is null is not looked at, and with none M08 does not apply."""

    pattern: str | None
    """Regular expression (Rust syntax) that every answer must match."""

    opening: str | None
    """Regular expression at the start of the last answer of a conversation."""

    closing: str | None
    """Regular expression at the end of the last answer of a conversation."""

    min_characters: int | None
    """Shortest answer."""

    max_characters: int | None
    """Longest answer."""

    languages: list[str] | None
    """Languages, as in the column `language`, that conversations may be in."""

    json_schema: dict[str, object] | None
    """JSON Schema that every answer, as JSON, must meet."""

    @property
    def is_given(self) -> bool:
        """Whether there is any rule to meet."""
        return any(value is not None for value in self.model_dump().values())


class Statement(Section):
    """What the owner states about the records of one source; null is not stated."""

    purpose: str | None = None
    """Why the records were collected and may be used here."""

    legal_basis: str | None = None
    """Legal basis or licence."""

    collected: str | None = None
    """When, for records without a time of their own."""

    retain_until: str | None = None
    """Erase-by date or rule."""

    consent: str | None = None
    """How consent was taken, where the legal basis is consent."""


class Prices(Section):
    """Prices that the owner enters, with their date; ticketmill ships none."""

    stated_on: str
    currency: str
    input_per_million: float
    output_per_million: float
    tuned_input_per_million: float
    tuned_output_per_million: float
    hosting_per_month: float
    training: float
    """Training, audit and set-up, once."""
    upkeep_per_month: float
    cached_price_ratio: float = Field(ge=0, le=1)
    """Price of a cached input token as a share of the full price."""
    cache_hit_rate: float = Field(ge=0, le=1)


class Limits(Section):
    """Where a value starts to matter. Meaning and origin of each: checks/readiness/limits.yaml."""

    min_effective_examples: float
    pilot_effective_examples: float
    production_effective_examples: float
    min_coverage: float
    good_coverage: float
    min_topic_examples: float
    min_traffic_in_full_topics: float
    good_traffic_in_full_topics: float
    paying_gain: float
    saturated_gain: float
    faq_share: float
    max_defect_upper: float
    fail_defect_upper: float
    min_agreement: float
    fail_agreement: float
    max_outdated_share: float
    warn_ungrounded_share: float
    max_ungrounded_share: float
    min_conformity: float
    min_multi_turn_ratio: float
    min_boundary_share: float
    min_boundary_examples: float
    min_refusal_ratio: float
    max_refusal_ratio: float
    max_moved_traffic: float
    max_shift_p: float
    max_leak_upper_pilot: float
    max_leak_upper_production: float
    min_recall_ids: float
    min_recall_names: float
    max_recall_gap: float
    max_secrets: float
    max_repeated_residuals: float
    max_unscrubbed_sent: float
    min_provenance: float
    min_survival_ratio: float
    max_parity_q: float
    max_answer_gap: float
    max_synthetic_share: float
    max_synthetic_in_test: float
    min_kappa_shown: float
    min_kappa_gate: float
    max_order_flips: float
    min_judged_items: float
    max_near_copies: float
    max_shared: float
    max_invalid: float
    max_template_passes: float
    min_gain: float
    max_regression: float


class Similarity(Section):
    """What counts as alike."""

    min_jaccard: float = Field(gt=0, le=1)
    """5-word shingles of two examples (or answers): one example."""

    min_question_jaccard: float = Field(gt=0, le=1)
    """2-word shingles of two questions: the same question asked again (M06)."""

    near_copy_cosine: float = Field(gt=0, le=1)
    """TF-IDF cosine of two examples in two splits: a near-copy (M25)."""

    covered_cosine: float = Field(gt=0, le=1)
    """TF-IDF cosine of a later question to one in training: it is covered (M02)."""

    same_answer_f1: float = Field(gt=0, le=1)
    """Token F1 of two answers: they agree (M06)."""


class Samples(Section):
    """Draws, all by hash of the conversation id: the same for any order of the rows."""

    max_conversations: int = Field(ge=100)
    """Conversations whose text is looked at; of more, a sample is drawn and said to be one."""

    held_out: int = Field(ge=10)
    """Held-out conversations compared with the training set (M02, M25)."""

    agreement_pairs: int = Field(ge=10)
    """Pairs of questions compared (M06)."""

    min_agreement_pairs: int = Field(ge=2)
    """Fewer pairs leave M06 unknown."""

    curve_conversations: int = Field(ge=10)
    """Conversations of the marginal-value curve (M03)."""

    repetition: int = Field(ge=10)
    """Answers per compressed sample (M09); only samples of one size are comparable."""

    permutations: int = Field(ge=100)
    """Of the permutation test (M13)."""

    min_window: int = Field(ge=2)
    """Fewer conversations in one of two windows leave M13 unknown."""

    min_slice: int = Field(ge=2)
    """Fewer raw conversations in a slice leave its parity unknown (M21, M22)."""

    min_judged_language: int = Field(ge=0)
    """Fewer answers in a language that a lexicon knows leave M12 unknown."""

    max_unread_share: float = Field(ge=0, le=1)
    """Share of conversations in languages without a lexicon, or in none declared, beyond which M12 and M14 are unknown."""

    max_topics: int = Field(ge=2)
    """Topics of the table; the smallest ones beyond are pooled."""

    clusters: int = Field(ge=2)
    """Topics to find where there are no tags; they are approximate."""


class ReadinessParams(Section):
    """Everything `ticketmill readiness` needs to be told."""

    goal: Goal
    """What tuning is for."""

    success_metric: str | None
    """How the owner will know: the name of the score in evidence/scores.csv."""

    target: Literal["pilot", "production"]
    """What the set is for; production needs 3 % boundary examples."""

    task_complexity: Literal["normal", "high"]
    """high: five times as many effective examples are asked for."""

    retrain_every_days: float = Field(gt=0)
    """Cycle at which the outdated share is computed."""

    baseline_target: float | None
    """Score at which prompting already satisfies; null: not stated."""

    baseline_margin: float = Field(ge=0)
    """A baseline this close to its target counts as good enough for FAQ-like traffic."""

    evidence: str
    """Folder of evidence files."""

    not_applicable: dict[str, str]
    """Metric -> the owner's written reason why it does not apply; printed in the report."""

    override_privacy_unmeasured: bool
    """Go past row 2 at the owner's risk; printed in the header of every report."""

    gates: list[str]
    """Limits, by name, at which `assess` exits with 3 whatever the verdict; `all` is every one. None by default."""

    renew_after: float = Field(ge=0, le=1)
    """Share of the rows that may be new before `assess --keep` measures again; 0: whenever it is asked."""

    quasi_identifiers: list[str]
    """Columns or topics by which a person could be singled out (M18): channel, language, product, day, topic."""

    slices: list[str]
    """Columns whose values are compared (M21, M22): source, language, channel, product, topic, agent, month."""

    style: Style
    statements: dict[str, Statement]
    """Source -> what the owner states about its records (M20)."""

    generators: dict[str, str]
    """Model that wrote synthetic answers -> its licence or terms (M20)."""

    allowed_values: list[str]
    """Regular expressions of the company's own contact details, which may repeat (M17)."""

    offline_providers: list[str]
    """Providers of `generate` that send nothing anywhere (M19)."""

    system_prompt: str | None
    """The prompt in use today (M07, M27)."""

    tuned_prompt: str
    """The prompt that a tuned model would still need (M27)."""

    encoding: str
    """Vocabulary that tokens are counted in."""

    max_tokens: int = Field(gt=0)
    """Context of the trainer (M11, M28)."""

    epochs: int = Field(ge=1)
    """Passes over the set (M26, M28)."""

    prices: Prices | None
    requests_per_month: float | None
    """Null: from the timestamps."""

    tokens_per_gpu_hour: list[float] = Field(min_length=2, max_length=2)
    """Lowest and highest speed to expect (M28)."""

    similarity: Similarity
    samples: Samples
    seed: int
    limits: Limits
