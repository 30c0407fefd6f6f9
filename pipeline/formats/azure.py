"""Azure OpenAI and Foundry: OpenAI's chat shape in files that start with a byte order mark.

Source: MicrosoftDocs azure-ai-docs, fine-tuning-oai-sdk.md: "UTF-8 with a byte-order mark (BOM)", under 512 MB.
"""

from dataclasses import replace
from typing import Final

from pipeline.formats import openai

FORMAT: Final = replace(
    openai.FORMAT,
    source="MicrosoftDocs azure-ai-docs fine-tuning-oai-sdk.md",
    max_file_bytes=512 * 1000 * 1000,
    byte_order_mark=True,
)
