"""Does a personal detail reach the model? 1,000 invented ones are planted, scrubbed, asked about, and looked for.

    python benchmarks/generate_identifiers.py benchmarks/results/generate_identifiers.json

The test of the same name in tests/pipeline/test_generate_egress.py, with its figures written down: what the server received,
bodies and headers, is searched for every planted value as it was written.
"""

import json
import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.pipeline.test_generate_egress import PLANTED, received_after_scrub


def main(results: Path) -> None:
    """Measure and write."""
    os.environ["TICKETMILL_TEST_KEY"] = "sk-not-a-real-key"
    with tempfile.TemporaryDirectory() as folder:
        received = received_after_scrub(Path(folder))
    sent = b"".join(each.raw + str(each.headers).encode() for each in received)
    values = [value for row in PLANTED for value in row]
    found = sum(value.encode() in sent for value in values)
    report = {"planted": len(values), "requests": len(received), "bytes_received": len(sent), "found": found}
    print(json.dumps(report))
    results.parent.mkdir(exist_ok=True)
    results.write_text(json.dumps(report, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
