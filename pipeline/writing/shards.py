"""Training files as they grow: one per split, or several once it is larger than its consumer takes."""

from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, Final

import orjson

from pipeline.writing.chat import Format

BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


class Shards:
    """The file of one split, or several once it grows over the limit; a file of metadata beside each, line by line."""

    def __init__(self, folder: Path, split: str, limit: int, format_: Format) -> None:
        self._folder, self._split, self._limit, self._format = folder, split, limit, format_
        self._mark = len(BYTE_ORDER_MARK) if format_.byte_order_mark else 0
        self._files: tuple[_JsonLines | _Parquet, BinaryIO] | None = None
        self._size = 0
        self._shards = 0

    def add(self, rows: Sequence[str], metas: Sequence[str]) -> None:
        """Append lines; a line is never parted, and an empty shard takes any line."""
        lines = [row.encode() for row in rows]
        start, size = 0, self._size
        for place, line in enumerate(lines):
            if size and size + len(line) + 1 > self._limit:
                self._write(lines[start:place], metas[start:place])
                self._shut()
                start, size = place, 0
            size += len(line) + 1 + (0 if size else self._mark)
        self._write(lines[start:], metas[start:])
        self._size = size

    def _write(self, lines: Sequence[bytes], metas: Sequence[str]) -> None:
        if not lines:
            return
        if self._files is None:
            self._folder.mkdir(exist_ok=True)
            data, meta = (self._unfinished(self._shards, kind) for kind in ("", ".meta"))
            opened = _Parquet(data) if self._format.container == "parquet" else _JsonLines(data, self._format.byte_order_mark)
            self._files = opened, meta.open("wb")
            self._shards += 1
        self._files[0].write(lines)
        self._files[1].write("".join(f"{meta}\n" for meta in metas).encode())

    def _shut(self) -> None:
        for file in self._files or ():
            file.close()
        self._files, self._size = None, 0

    def _unfinished(self, shard: int, kind: str) -> Path:
        return self._folder / f"{self._split}-{shard:05d}{kind}.writing"

    def close(self) -> list[Path]:
        """Give the files their names, as Hugging Face's loader reads them; a split without a line has none."""
        self._shut()
        finished = []
        for shard in range(self._shards):
            stem = self._split if self._shards == 1 else f"{self._split}-{shard:05d}-of-{self._shards:05d}"
            for kind, name in (("", f"{stem}.{self._format.container}"), (".meta", f"{stem}.meta.jsonl")):
                self._unfinished(shard, kind).replace(self._folder / name)
                finished.append(self._folder / name)
        return finished


class _JsonLines:
    """A file of one JSON object per line."""

    def __init__(self, path: Path, byte_order_mark: bool) -> None:
        self._file = path.open("wb")
        if byte_order_mark:
            self._file.write(BYTE_ORDER_MARK)

    def write(self, lines: Sequence[bytes]) -> None:
        self._file.write(b"".join(line + b"\n" for line in lines))

    def close(self) -> None:
        self._file.close()


class _Parquet:
    """A file of one column of messages, a row group per part."""

    def __init__(self, path: Path) -> None:
        # only this format needs it; ships no types
        import pyarrow as pa  # type: ignore[import-untyped]  # noqa: PLC0415
        from pyarrow import parquet  # noqa: PLC0415

        message = pa.struct([pa.field("role", pa.string()), pa.field("content", pa.string())])
        self._schema = pa.schema([pa.field("messages", pa.list_(message))])
        self._file = parquet.ParquetWriter(path, self._schema, compression="zstd")
        self._table = pa.Table

    def write(self, lines: Sequence[bytes]) -> None:
        self._file.write_table(self._table.from_pylist([orjson.loads(line) for line in lines], schema=self._schema))

    def close(self) -> None:
        self._file.close()
