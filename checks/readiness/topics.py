"""Topics where nobody tagged any: clusters of what customers ask first. Approximate, and said to be so.

On public intents such clusters meet the human ones only weakly (normalised mutual information 0.44 to 0.55,
benchmarks/results/readiness.md), so they may not carry a block on their own.
"""

from typing import Final

import polars as pl

from checks.readiness.settings import ReadinessParams

DIMENSIONS: Final = 64
MAX_FITTED: Final = 20_000
"""Questions that the clusters are fitted on; all are assigned."""


def find_topics(conversations: pl.DataFrame, turns: pl.DataFrame, params: ReadinessParams) -> pl.Series:
    """A name per conversation: `cluster 01`, largest first, by TF-IDF, latent semantic analysis and k-means, seeded."""
    firsts = (
        turns.filter(pl.col("speaker") == "customer")
        .group_by("conversation_id", maintain_order=True)
        .agg(pl.col("masked").first())
    )
    texts = conversations.select("conversation_id").join(firsts, on="conversation_id", how="left", maintain_order="left")
    return cluster_texts(texts["masked"].fill_null(""), params.samples.clusters, params.seed)


def cluster_texts(texts: pl.Series, count: int, seed: int) -> pl.Series:
    """Names of clusters, the same for any run; one cluster where there are too few texts."""
    if texts.n_unique() <= 4 * count:
        return pl.Series("topic", ["cluster 01"] * len(texts), dtype=pl.String)
    from sklearn.cluster import KMeans  # type: ignore[import-untyped]  # noqa: PLC0415  # untyped; a second, only where there are no tags
    from sklearn.decomposition import TruncatedSVD  # type: ignore[import-untyped]  # noqa: PLC0415  # untyped; as above
    from sklearn.feature_extraction.text import TfidfVectorizer  # type: ignore[import-untyped]  # noqa: PLC0415  # untyped; as above
    from sklearn.preprocessing import normalize  # type: ignore[import-untyped]  # noqa: PLC0415  # untyped; as above

    words = r"<\w+>|\w\w+"
    model = TfidfVectorizer(sublinear_tf=True, min_df=2, max_df=0.5, token_pattern=words)
    vectors = model.fit_transform(texts.to_list())
    size = min(DIMENSIONS, vectors.shape[1] - 1)
    reduced = normalize(TruncatedSVD(size, random_state=seed).fit_transform(vectors))
    step = max(1, len(texts) // MAX_FITTED)
    groups = KMeans(count, n_init=3, random_state=seed).fit(reduced[::step])
    labels = pl.Series("label", groups.predict(reduced))
    order = labels.value_counts().sort(["count", "label"], descending=[True, False])["label"]
    names = {label: f"cluster {number:02d}" for number, label in enumerate(order.to_list(), 1)}
    return labels.replace_strict(names, return_dtype=pl.String).alias("topic")
