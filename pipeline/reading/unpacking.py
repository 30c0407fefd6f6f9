"""Compressed bytes, and the bound on what they may grow to: a bomb is refused while it unpacks, not when memory is full."""

import gzip
import io
from typing import IO, Any, Final

import zstandard

from pipeline.errors import SourceError

FREE_BYTES: Final = 64 * 2**20
"""Up to here no ratio is asked for: a small file of equal lines packs a thousand times smaller, and does no harm."""


class _Bounded(io.RawIOBase):
    """A stream that refuses to yield more than its bounds."""

    def __init__(self, stream: IO[bytes], packed: int, label: str, most: int, ratio: float) -> None:
        self._stream, self._label = stream, label
        self._most = most
        self._by_ratio = max(FREE_BYTES, int(packed * ratio))
        self._count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        more = self._stream.read(len(buffer))
        self._count += len(more)
        if self._count > self._most:
            raise SourceError(f"{self._label}: unpacks to more than max_unpacked_bytes; raise it in params or ignore the file")
        if self._count > self._by_ratio:
            raise SourceError(
                f"{self._label}: unpacks to more than max_unpacked_ratio times its size; raise it in params or ignore the file"
            )
        buffer[: len(more)] = more
        return len(more)


def unpacked(stream: IO[bytes], packed: int, label: str, most: int, ratio: float) -> IO[bytes]:
    """`stream`, which came from `packed` bytes, under the bounds; with `most` 0 there is none."""
    return io.BufferedReader(_Bounded(stream, packed, label, most, ratio), 2**18) if most else stream


def decompressed(raw: IO[bytes], name: str) -> IO[bytes]:
    """`raw` without the compression that the name of its file promises."""
    name = name.lower()
    if name.endswith((".gz", ".tgz")):
        return io.BufferedReader(gzip.GzipFile(fileobj=raw), 2**18)
    if name.endswith(".zst"):
        return io.BufferedReader(_Zstandard(raw), 2**18)
    return raw


class _Zstandard(io.RawIOBase):
    """zstandard's own reader ends quietly where a file is cut off in the middle of a frame; this one says so."""

    def __init__(self, raw: IO[bytes]) -> None:
        self._raw = raw
        self._frame = zstandard.ZstdDecompressor().decompressobj()
        self._ready = b""
        self._is_inside = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready:
            more = self._frame.unused_data if self._frame.eof else b""
            if self._frame.eof:
                self._frame = zstandard.ZstdDecompressor().decompressobj()
                self._is_inside = False
            more = more or self._raw.read(2**13)  # one read grows to 256 MiB at most, whatever was packed
            if not more:
                if self._is_inside:
                    raise EOFError
                return 0
            self._is_inside = True
            self._ready = self._frame.decompress(more)
        count = min(len(buffer), len(self._ready))
        buffer[:count], self._ready = self._ready[:count], self._ready[count:]
        return count
