"""The report people sign: every number on it is the answer to a line of SQL that stands beside it."""
