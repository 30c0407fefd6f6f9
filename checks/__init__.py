"""Is a table good enough to go on? One module per stage, named as in `pipeline`."""
