"""How ingest reads: received files row by row, paths into foreign JSON, times, and the spill that gathers scattered rows."""
