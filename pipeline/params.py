"""Sections of params.yaml: values in the file, meaning in one frozen class per section."""

import json
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.errors import ParamsError


class Section(BaseModel):
    """One section of params.yaml: frozen, and an unknown key is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def fingerprint(self, *more: str, leave_out: frozenset[str] = frozenset()) -> str:
        """16 hexadecimal digits over every value and `more`: the same digits, the same result.

        `leave_out`: fields that change how the work is done, not what comes out.
        """
        values = [self.model_dump(mode="json", exclude=set(leave_out)), *more]
        return sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]


S = TypeVar("S", bound=Section)

LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml where PyYAML has it, as its wheels do: eight times as fast on params.yaml, which every command reads."""

REPLACES: Final = "!"
"""At the end of a key: `sources!:` takes the place of the mapping `sources` of the files before, instead of merging with it."""


def load_section(kind: type[S], name: str, files: Sequence[Path], overrides: Iterable[str] = ()) -> S:
    """Read section `name` ("dedupe", "gates.scrub") from params files, later files over earlier ones, `overrides` over all.

    Args:
        kind: the class that gives the section its meaning.
        name: dotted path of the section.
        files: YAML files; mappings merge key by key, every other value is replaced whole, and so is a mapping whose key
            ends in "!" (`sources!:`).
        overrides: "dedupe.min_jaccard=0.85"; the value is read as YAML. Those of other sections change nothing here, but must
            name a section and a key that the files have.
    Raises:
        ParamsError: a file cannot be read, the section is missing, or a key is unknown, missing or ill-typed.
    """
    given = {str(file): _read(file) for file in files}
    merged: dict[str, Any] = {}
    for content in given.values():
        merged = _merge(merged, content)
    where, in_files, steps = ", ".join(given), merged, name.split(".")
    for override in overrides:
        path, value = _parse_override(override)
        _require_known(path, steps, in_files, where)
        given[f"--set {'.'.join(path)}"] = _nest(path, value)
        merged = _merge(merged, _nest(path, value))
    section: Any = merged
    for step in steps:
        if not isinstance(section, Mapping) or step not in section:
            raise ParamsError(f"{where}: section {name!r} is missing; copy it from the params.yaml that ticketmill ships")
        section = section[step]
    try:
        return kind.model_validate(section)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = [*steps, *first["loc"]]
        is_missing = first["type"] == "missing"
        blamed = [giver for giver, content in given.items() if _says(content, place[:-1] if is_missing else place)]
        more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
        # pydantic's own message quotes the value
        raise ParamsError(_explain(kind, first, name, ", ".join(blamed if is_missing else blamed[-1:]) or where) + more) from None


def _says(content: Any, path: Sequence[str | int]) -> bool:
    """Whether params hold something at that path, in which steps that name the kind of a mapping are passed over."""
    for step in path[:-1]:
        if isinstance(content, Mapping):
            content = content.get(step, content.get(f"{step}{REPLACES}", content))
        elif isinstance(content, list) and isinstance(step, int) and step < len(content):
            content = content[step]
    return path[-1] in content if isinstance(content, Mapping) else isinstance(content, list)


def _require_known(path: Sequence[str], own: Sequence[str], in_files: Mapping[str, Any], where: str) -> None:
    """Refuse a value for a section that no file has, and for such a key of another section: it would be ignored silently."""
    section = 2 if path[0] == "gates" else 1
    known: Any = in_files
    # the keys of its own section are judged by the class of that
    for number, step in enumerate(path[: section if list(path[: len(own)]) == list(own) else section + 1]):
        if not isinstance(known, Mapping):
            return
        if step not in known:
            there = ".".join([*path[:number], step])
            raise ParamsError(f"--set {'.'.join(path)}: {where} has no {there!r}{_meant(step, known)}")
        known = known[step]


def _meant(word: str, known: Iterable[Any]) -> str:
    near = get_close_matches(word, [str(each) for each in known], n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else "; correct or remove it"


def _read(file: Path) -> Mapping[str, Any]:
    try:
        content = yaml.load(file.read_text("utf-8"), LOADER)  # noqa: S506  # both loaders are safe ones
    except FileNotFoundError:
        raise ParamsError(f"{file}: no such params file; name one with --params") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ParamsError(f"{file}: cannot be read as UTF-8 text") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" at line {mark.line + 1}" if mark else ""
        raise ParamsError(f"{file}: is not YAML{line}") from None
    if not isinstance(content, Mapping):
        raise ParamsError(f"{file}: holds no sections; expected 'stage:' at the left margin")
    return content


def _merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        name = key.removesuffix(REPLACES) if isinstance(key, str) else key
        old = merged.get(name) if name == key else None
        merged[name] = _merge(old if isinstance(old, Mapping) else {}, value) if isinstance(value, Mapping) else value
    return merged


def _parse_override(override: str) -> tuple[list[str], Any]:
    path, equals, value = override.partition("=")
    if not equals or not all(steps := path.split(".")) or len(steps) == 1:
        raise ParamsError(f"--set {path}: expected stage.key=value, such as dedupe.min_jaccard=0.85")
    try:
        return steps, yaml.load(value, LOADER)  # noqa: S506  # as above
    except yaml.YAMLError:
        raise ParamsError(f"--set {path}: the value is not YAML") from None


def _nest(path: Sequence[str], value: Any) -> Mapping[str, Any]:
    nested: Any = value
    for step in reversed(path):
        nested = {step: nested}
    return nested  # type: ignore[no-any-return]  # a mapping, because there are at least two steps


def _explain(kind: type[Section], first: Any, name: str, where: str) -> str:
    path = ".".join([name, *(str(step) for step in first["loc"])])
    match first["type"]:
        case "extra_forbidden":
            return f"{where}: unknown key {path!r}{_meant(str(first['loc'][-1]), _keys_at(kind, first['loc'][:-1]))}"
        case "missing":
            return f"{where}: key {path!r} is missing"
        case _:
            return f"{where}: {path}: {first['msg']}"


def _keys_at(kind: type[Section], steps: Sequence[str | int]) -> set[str]:
    """The keys that the sections at the end of a path may have."""
    kinds: set[type[Section]] = {kind}
    for step in steps:
        fields = [field for each in kinds if (field := each.model_fields.get(str(step)))]
        if fields:  # the others are keys of a mapping, places in a list, names of a kind
            kinds = set().union(*(_sections_in(field.annotation) for field in fields))
    return {key for each in kinds for key in each.model_fields}


def _sections_in(annotation: Any) -> set[type[Section]]:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return {annotation}
    return set().union(*map(_sections_in, get_args(annotation)))
