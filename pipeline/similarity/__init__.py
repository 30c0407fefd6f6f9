"""Which conversations are copies of which: words, sketches, clusters, verdicts, and the index that remembers them."""
