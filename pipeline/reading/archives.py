"""Archives read in place: members of .zip, .tar, .tar.gz and .tar.zst as if they lay in a folder of the archive's name.

    received/desk/export.zip        holds    2026/tickets.jsonl
    its label                       export.zip!/2026/tickets.jsonl

Nothing is unpacked to disk. A name that leads out of the archive, a link, a device, an encrypted member or two members of
one name make the whole archive an error before anything of it is read.
"""

import io
import stat
import tarfile
import zipfile
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import IO, Final

from pipeline.errors import SourceError
from pipeline.reading.drafts import Limits, ReceivedFile, require_utf8
from pipeline.reading.unpacking import decompressed, unpacked

INSIDE: Final = "!/"
"""Between the label of an archive and the name of its member, as in a Java URL of a jar."""

HELD_BYTES: Final = 16 * 2**20
"""A member of a tar up to this size is kept until the next one is asked for: its layout is looked at before it is read."""

_TARS: Final = (".tar", ".tar.gz", ".tgz", ".tar.zst")
_UNIX: Final = 3
_ENCRYPTED: Final = 1


def is_archive(name: str) -> bool:
    """Whether a file of this name holds others."""
    return name.lower().endswith((".zip", *_TARS))


def members_of(path: Path, label: str, limits: Limits) -> list[ReceivedFile]:
    """The files inside an archive; those of hidden folders and of macOS' own (`__MACOSX`) are left out.

    Raises:
        SourceError: it is damaged, one of its names leads out of it, or it unpacks to more than the limits allow.
    """
    archive = _open(path, _stamp(path), limits.max_unpacked_bytes, limits.max_unpacked_ratio, label)
    found: dict[str, ReceivedFile] = {}
    for position, name in enumerate(archive.names()):
        _refuse_escape(name, label)
        require_utf8(f"{label}{INSIDE}{name}")
        if name in found:
            raise SourceError(f"{label}: two of its members have one name (member {position + 1}); pack it again")
        found[name] = ReceivedFile(path, f"{label}{INSIDE}{name}", name, position, limits)
    return [file for name, file in found.items() if not _is_hidden(name)]


def member(file: ReceivedFile) -> tuple[IO[bytes], int]:
    """The bytes of a member, uncompressed as far as the archive compressed them, and how many there are.

    Raises:
        SourceError: the archive is damaged, or has changed since it was listed.
    """
    limits = file.limits
    most, ratio = (limits.max_unpacked_bytes, limits.max_unpacked_ratio) if limits else (0, 0.0)
    label = file.label.removesuffix(INSIDE + file.member)
    return _open(file.path, _stamp(file.path), most, ratio, label).open(file.member, file.label)


def _stamp(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_mtime_ns, status.st_size


def _refuse_escape(name: str, label: str) -> None:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name or name[1:2] == ":" or not path.parts:
        raise SourceError(f"{label}: a member's name leads out of the archive; it is refused as a whole, pack it again")


def _is_hidden(name: str) -> bool:
    return any(step.startswith(".") or step == "__MACOSX" for step in PurePosixPath(name).parts)


class _Zip:
    """A .zip: members in any order."""

    def __init__(self, path: Path, label: str, most: int, ratio: float) -> None:
        self._zip = zipfile.ZipFile(path)
        self._label, self._most, self._ratio = label, most, ratio

    def names(self) -> Iterator[str]:
        total = 0
        for info in self._zip.infolist():
            mode = info.external_attr >> 16 if info.create_system == _UNIX else 0
            if info.is_dir():
                _refuse_escape(info.filename, self._label)
                continue
            if info.flag_bits & _ENCRYPTED:
                raise SourceError(f"{self._label}: is encrypted; unpack it first")
            if mode and stat.S_IFMT(mode) not in {0, stat.S_IFREG}:
                raise SourceError(f"{self._label}: holds a link or a device; pack it again with files only")
            total += info.file_size
            if self._most and total > self._most:
                raise SourceError(
                    f"{self._label}: unpacks to more than max_unpacked_bytes; raise it in params or ignore the file"
                )
            yield info.filename

    def open(self, name: str, label: str) -> tuple[IO[bytes], int]:
        try:
            info = self._zip.getinfo(name)
            size = info.compress_size
            return unpacked(self._zip.open(info), size, label, self._most, self._ratio), info.file_size
        except (KeyError, RuntimeError, NotImplementedError, zipfile.BadZipFile):  # a name, a password, a method it lacks
            raise SourceError(f"{label}: cannot be unpacked; the archive is damaged or packed in an unusual way") from None


class _Tar:
    """A tar: members one after another; asking for an earlier one starts over."""

    def __init__(self, path: Path, label: str, most: int, ratio: float) -> None:
        self._path, self._label, self._most, self._ratio = path, label, most, ratio
        self._raw: IO[bytes] | None = None
        self._tar: tarfile.TarFile | None = None
        self._passed: set[str] = set()
        self._held: tuple[str, bytes] = ("", b"")

    def __del__(self) -> None:
        self._close()

    def _close(self) -> None:
        if self._tar is not None:
            self._tar.close()
        if self._raw is not None:
            self._raw.close()
        self._tar = self._raw = None

    def _restart(self) -> tarfile.TarFile:
        self._close()
        self._passed = set()
        self._raw = self._path.open("rb")
        stream = decompressed(self._raw, self._path.name)
        bounded = unpacked(stream, self._path.stat().st_size, self._label, self._most, self._ratio)
        self._tar = tarfile.open(fileobj=bounded, mode="r|", errorlevel=1)  # noqa: SIM115  # closed when another takes its place
        return self._tar

    def names(self) -> Iterator[str]:
        for info in self._restart():
            if info.isdir():
                _refuse_escape(info.name, self._label)
            elif not info.isreg():
                raise SourceError(f"{self._label}: holds a link or a device; pack it again with files only")
            else:
                yield info.name.removeprefix("./")
        self._close()

    def open(self, name: str, label: str) -> tuple[IO[bytes], int]:
        if self._held[0] == name:
            return io.BytesIO(self._held[1]), len(self._held[1])
        tar = self._restart() if self._tar is None or name in self._passed else self._tar
        for info in tar:
            inner = info.name.removeprefix("./")
            self._passed.add(inner)
            if inner == name and (stream := tar.extractfile(info)) is not None:
                if info.size > HELD_BYTES:
                    return stream, info.size
                self._held = (name, stream.read())
                return io.BytesIO(self._held[1]), info.size
        raise SourceError(f"{label}: is no longer in the archive; it changed while it was read, run again")


@lru_cache(maxsize=4)
def _open(path: Path, _stamp_of: tuple[int, int], most: int, ratio: float, label: str) -> _Zip | _Tar:
    return (_Zip if path.name.lower().endswith(".zip") else _Tar)(path, label, most, ratio)


def reading_order(file: ReceivedFile) -> tuple[str, int]:
    """What to sort files by, so that a tar is passed over once."""
    return str(file.path), file.position
