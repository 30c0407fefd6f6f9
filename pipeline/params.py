"""Sections of params.yaml: values in the file, meaning in one frozen class per section."""

import json
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.errors import ParamsError


class Section(BaseModel):
    """One section of params.yaml: frozen, and an unknown key is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

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
        overrides: "dedupe.min_jaccard=0.85"; those of other sections are left alone, the value is read as YAML.
    Raises:
        ParamsError: a file cannot be read, the section is missing, or a key is unknown, missing or ill-typed.
    """
    merged: dict[str, Any] = {}
    for file in files:
        merged = _merge(merged, _read(file))
    for override in overrides:
        merged = _merge(merged, _parse_override(override))
    where = ", ".join(str(file) for file in files)
    section: Any = merged
    for step in name.split("."):
        if not isinstance(section, Mapping) or step not in section:
            raise ParamsError(f"{where}: section {name!r} is missing; copy it from the params.yaml that ticketmill ships")
        section = section[step]
    try:
        return kind.model_validate(section)
    except ValidationError as error:
        raise ParamsError(_explain(error, name, where)) from None  # pydantic's own message quotes the value


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


def _parse_override(override: str) -> Mapping[str, Any]:
    path, equals, value = override.partition("=")
    if not equals or not all(steps := path.split(".")) or len(steps) == 1:
        raise ParamsError(f"--set {path}: expected stage.key=value, such as dedupe.min_jaccard=0.85")
    try:
        nested: Any = yaml.load(value, LOADER)  # noqa: S506  # as above
    except yaml.YAMLError:
        raise ParamsError(f"--set {path}: the value is not YAML") from None
    for step in reversed(steps):
        nested = {step: nested}
    return nested  # type: ignore[no-any-return]  # a mapping, because there are at least two steps


def _explain(error: ValidationError, name: str, where: str) -> str:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    path = ".".join([name, *(str(step) for step in first["loc"])])
    others = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    match first["type"]:
        case "extra_forbidden":
            return f"{where}: unknown key {path!r}{others}; correct or remove it"
        case "missing":
            return f"{where}: key {path!r} is missing{others}"
        case _:
            return f"{where}: {path}: {first['msg']}{others}"
