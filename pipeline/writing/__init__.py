"""Training files: what a row is made of, what its consumer asks of it, and which split it belongs to."""
