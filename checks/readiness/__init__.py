"""Should this data be used for fine-tuning, and what would make it so? Measures, verdict table, advice."""
