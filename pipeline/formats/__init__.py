"""The formats that emit writes and `ticketmill validate FILE --target` checks, by name."""

from collections.abc import Mapping
from typing import Final

from pipeline.formats import (
    alpaca,
    axolotl,
    azure,
    bedrock_nova,
    fireworks,
    gemini,
    kto,
    llamafactory,
    llamafactory_openai,
    mistral,
    openai,
    openai_dpo,
    parquet,
    together,
    trl,
    trl_dpo,
    trl_prompt_completion,
    unsloth,
)
from pipeline.writing.chat import Format

FORMATS: Final[Mapping[str, Format]] = {
    "openai": openai.FORMAT,
    "azure": azure.FORMAT,
    "trl": trl.FORMAT,
    "trl_prompt_completion": trl_prompt_completion.FORMAT,
    "axolotl": axolotl.FORMAT,
    "llamafactory": llamafactory.FORMAT,
    "llamafactory_openai": llamafactory_openai.FORMAT,
    "unsloth": unsloth.FORMAT,
    "mistral": mistral.FORMAT,
    "together": together.FORMAT,
    "fireworks": fireworks.FORMAT,
    "gemini": gemini.FORMAT,
    "bedrock_nova": bedrock_nova.FORMAT,
    "alpaca": alpaca.FORMAT,
    "parquet": parquet.FORMAT,
    "kto": kto.FORMAT,
    "trl_dpo": trl_dpo.FORMAT,
    "openai_dpo": openai_dpo.FORMAT,
}
