"""Paths into foreign JSON, and the proof that every field of a record is mapped or ignored by name."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from pipeline.reading.field_words import names_a_field

Path = tuple[str, ...]

EACH: Final = "*"
"""A step that takes every element of a list and every value of a record."""


def parse(path: str) -> Path:
    """Split `Events.*.Text` into its steps: each is a field name, a position in a list counted from 0, or `*`.

    A name with dots in it, such as `@odata.etag`, is several steps; `find` and `unknown` put them together again.
    """
    return tuple(path.split(".")) if path else ()


def find(value: Any, path: Path) -> Iterator[Any]:
    """Every value at `path`; none where the path leads nowhere."""
    if not path:
        yield value
        return
    step, rest = path[0], path[1:]
    if step == EACH and isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from find(each, rest)
    elif isinstance(value, dict):
        if step in value:
            yield from find(value[step], rest)
        elif rest:
            yield from _find_dotted(value, path)
    elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
        yield from find(value[int(step)], rest)


def _find_dotted(value: Mapping[str, Any], path: Path) -> Iterator[Any]:
    """What stands at `path` in a field with dots in its own name."""
    for end in range(2, len(path) + 1):
        if (name := ".".join(path[:end])) in value:
            yield from find(value[name], path[end:])


def first(value: Any, path: Path) -> Any:
    """The first value at `path`, or null."""
    return next(find(value, path), None)


Known = Mapping[str, "Known"]
"""A tree of known steps; an empty one knows everything below it."""


def known(paths: Iterable[str]) -> Known:
    """The tree of these paths; where one path is the beginning of another, the shorter one covers both."""
    tree: dict[str, Any] = {}
    for path in sorted(map(parse, paths), key=len):
        node = tree
        for depth, step in enumerate(path):
            is_last = depth == len(path) - 1
            if step in node and not node[step]:
                break  # covered by a shorter path
            node = node.setdefault(step, {})
            if is_last:
                node.clear()
    return tree


def shown(step: str) -> str:
    """A field name as it may be printed and stored; `*` for what may be a value used as a key: a name, a mail address."""
    return step if names_a_field(step) else EACH


def unknown(value: Any, tree: Known, above: str = "") -> str | None:
    """The path, as `shown`, of the first field of `value` that the tree does not know; null when it knows all of them."""
    items: Iterable[tuple[str, Any]]
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = _numbered(value)
    else:
        return None if value in (None, "") else above
    each = tree.get(EACH)
    is_list = isinstance(value, list)
    for key, below in items:
        node = tree.get(key, each)
        if node is None and "." in key:
            node = _walked(tree, key)
        step = key if is_list else shown(key)
        if node is None:
            return f"{above}.{step}" if above else step
        if node and (found := unknown(below, node, f"{above}.{step}" if above else step)) is not None:
            return found
    return None


def _walked(tree: Known, name: str) -> Known | None:
    """What is known below a field with dots in its own name."""
    for step in parse(name):
        if step not in tree:
            return None
        tree = tree[step]
        if not tree:
            break
    return tree


def _numbered(value: Sequence[Any]) -> Iterator[tuple[str, Any]]:
    return ((str(position), each) for position, each in enumerate(value))
