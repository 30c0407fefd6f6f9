"""How a question that nobody answered gets an answer: search, ask, pay, accept."""
