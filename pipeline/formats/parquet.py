"""Parquet as Hugging Face's `datasets` reads it: a column `messages`, a file per split.

Source: Hugging Face hub docs, "Data files configuration": the name of a split in the file name makes it that split.
"""

from dataclasses import replace
from typing import Final

from pipeline.formats import trl

FORMAT: Final = replace(
    trl.FORMAT,
    source="huggingface.co/docs/hub datasets-data-files-configuration; TRL 1.9 docs/source/dataset_formats.md",
    container="parquet",
    tools=False,  # arguments of many functions in one struct column would be a column for each
)
