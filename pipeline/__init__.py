"""Raw support logs in, chat examples out: one module per stage, one folder per shelf of variants."""
