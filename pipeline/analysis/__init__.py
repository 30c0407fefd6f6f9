"""Presidio's analysis at a multiple of its speed: what a pattern needs, what a text holds, who looks where."""
