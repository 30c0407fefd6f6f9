"""How well personal details are found, measured on labelled texts and on planted ones."""
