"""Records that hold those that answer them, and so on: where, and what they are like unfolded."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.doctor.sampling import are_alike, lists
from pipeline.reading.nested_replies import at_names, replaced, unfolded
from pipeline.reading.paths import find, first, parse


def replies_in(items: Sequence[Any]) -> str | None:
    """Where items hold lists of others like them; null where none does."""
    found: Counter[str] = Counter()
    for item in items[:200]:
        for path, below in lists(item, "", 0) if isinstance(item, dict) else ():
            found[path] += sum(are_alike(item, each) for each in below)
    best = max(found, key=lambda path: found[path], default=None)
    return best if best is not None and found[best] else None


def unfold(items: Sequence[Mapping[str, Any]], at: str) -> list[dict[str, Any]]:
    """Items, and behind each all that answers it."""
    return [each for each in unfolded(items, parse(at))[0] if isinstance(each, dict)]


def trees_at(rows: Sequence[Mapping[str, Any]], at: str) -> tuple[str, dict[str, str]] | None:
    """Where the turns of records stand whose list `at` holds replies within replies, and how these are read; null for none.

    What opens a tree may hold the list itself: `prompt` with `prompt.replies`.
    """
    items = [item for row in rows for found in find(row, parse(at)) if isinstance(found, list) for item in found]
    replies = replies_in(items)
    if replies is None:
        return None
    opening = at.removesuffix(f".{replies}")
    roots = [root for row in rows if isinstance(root := first(row, parse(opening)), dict)] if opening != at else []
    turns = opening if roots and all(are_alike(root, items[0]) for root in roots) else at
    is_ranked = any(isinstance(item, dict) and isinstance(item.get("rank"), int) for item in items)
    return turns, {"replies": replies, **({"rank": "rank"} if is_ranked else {})}


def unfold_events(rows: Sequence[Mapping[str, Any]], turns: str, replies: str) -> list[dict[str, Any]]:
    """Records whose events at `turns` have behind them what answers them."""
    at, grown = parse(turns), []
    for row in map(dict, rows):
        events = at_names(row, at)
        listed = events if isinstance(events, list) else [events] if isinstance(events, dict) else None
        grown.append(row if listed is None else replaced(row, at, unfolded(listed, parse(replies))[0]))
    return grown
