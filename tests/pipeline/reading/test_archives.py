"""Archives are folders: their members are read in place, and what would climb out or blow up is refused."""

import gzip
import io
import os
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import polars as pl
import pytest
import zstandard

from pipeline.doctor.diagnosis import diagnose
from pipeline.errors import SourceError
from pipeline.reading import parquet_rows
from tests.pipeline.received import PAIRS, ingested, rows, texts

QUESTION = b"question,answer\nWhere is my parcel?,On its way.\n"
OTHER = b"question,answer\nCan I return it?,Within 30 days.\n"
FILES = {"2026/a.csv": QUESTION, "b.csv": OTHER}


def zipped(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def tarred(files: Mapping[str, bytes], link: str = "") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        if link:
            info = tarfile.TarInfo("link.csv")
            info.type, info.linkname = tarfile.SYMTYPE, link
            archive.addfile(info)
    return buffer.getvalue()


PACKED = {
    "export.zip": zipped,
    "export.tar": tarred,
    "export.tar.gz": lambda files: gzip.compress(tarred(files)),
    "export.tgz": lambda files: gzip.compress(tarred(files)),
    "export.tar.zst": lambda files: zstandard.compress(tarred(files)),
}


def received(tmp_path: Path, name: str, content: bytes) -> Path:
    folder = tmp_path / "received"
    folder.mkdir()
    (folder / name).write_bytes(content)
    return folder


@pytest.mark.parametrize("name", PACKED)
def test_the_members_of_an_archive_are_read_as_files_below_its_name(tmp_path: Path, name: str) -> None:
    folder = received(tmp_path, name, PACKED[name](FILES))

    table = ingested(folder, PAIRS)

    assert sorted((row["source_file"], row["turns"][0]["text"]) for row in rows(table)) == [
        (f"{name}!/2026/a.csv", "Where is my parcel?"),
        (f"{name}!/b.csv", "Can I return it?"),
    ]


def test_a_compressed_file_inside_an_archive_is_read_too(tmp_path: Path) -> None:
    folder = received(tmp_path, "export.zip", zipped({"a.csv.gz": gzip.compress(QUESTION)}))

    table = ingested(folder, {**PAIRS, "files": ["*.csv.gz"]})

    assert list(texts(table).values()) == [["customer: Where is my parcel?", "agent: On its way."]]


def test_members_of_a_tar_in_any_order_give_the_same_conversations(tmp_path: Path) -> None:
    ahead, back = tmp_path / "ahead", tmp_path / "back"
    for folder in (ahead, back):
        folder.mkdir()
    (ahead / "x.tar.gz").write_bytes(gzip.compress(tarred(FILES)))
    (back / "x.tar.gz").write_bytes(gzip.compress(tarred(dict(reversed(FILES.items())))))

    assert rows(ingested(ahead, PAIRS)) == rows(ingested(back, PAIRS))


def test_a_source_may_name_an_archive_as_its_path(tmp_path: Path) -> None:
    folder = received(tmp_path, "export.zip", zipped(FILES))

    assert len(texts(ingested(folder, {**PAIRS, "path": "export.zip", "files": ["2026/*.csv"], "ignore": ["b.csv"]}))) == 1


@pytest.mark.parametrize("name", ["../b.csv", "/etc/b.csv", "a/../../b.csv", "C:\\b.csv", "a\\b.csv"])
@pytest.mark.parametrize("packed", ["export.zip", "export.tar.gz"])
def test_a_member_that_climbs_out_makes_the_archive_an_error(tmp_path: Path, packed: str, name: str) -> None:
    folder = received(tmp_path, packed, PACKED[packed]({"a.csv": QUESTION, name: OTHER}))

    with pytest.raises(SourceError, match=f"^{packed}: a member's name leads out of the archive; it is refused as a whole"):
        ingested(folder, PAIRS)


@pytest.mark.parametrize("name", [b"caf\xe9.csv", b"caf\xe9.zip", b"in.tar"])
def test_a_name_that_is_not_utf8_is_one_clear_error(tmp_path: Path, name: bytes) -> None:
    folder = received(tmp_path, "log.csv", QUESTION)
    content = tarred({os.fsdecode(b"caf\xe9.csv"): OTHER}) if name == b"in.tar" else OTHER
    folder.joinpath(os.fsdecode(name)).write_bytes(content)

    for reading in (lambda: ingested(folder, PAIRS), lambda: diagnose(folder)):
        with pytest.raises(SourceError, match=r"caf\\udce9.*: a name that is not UTF-8; rename the file"):
            reading()


def test_a_link_in_an_archive_is_refused(tmp_path: Path) -> None:
    folder = received(tmp_path, "export.tar", tarred(FILES, link="/etc/passwd"))

    with pytest.raises(SourceError, match=r"^export\.tar: holds a link or a device; pack it again with files only$"):
        ingested(folder, PAIRS)


def test_two_members_of_one_name_are_refused(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.csv", QUESTION)
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a.csv", OTHER)
    folder = received(tmp_path, "export.zip", buffer.getvalue())

    with pytest.raises(SourceError, match=r"^export\.zip: two of its members have one name \(member 2\); pack it again$"):
        ingested(folder, PAIRS)


@pytest.mark.parametrize("name", ["bomb.csv.gz", "bomb.csv.zst", "bomb.zip", "bomb.tar.gz"])
def test_a_bomb_is_refused_by_its_ratio_before_it_is_read(tmp_path: Path, name: str) -> None:
    plain = QUESTION + (b"a," + b"b" * 65_000 + b"\n") * 1300
    pack = {
        "bomb.csv.gz": gzip.compress,
        "bomb.csv.zst": zstandard.compress,
        "bomb.zip": lambda content: zipped({"a.csv": content}),
        "bomb.tar.gz": lambda content: gzip.compress(tarred({"a.csv": content})),
    }[name]
    folder = received(tmp_path, name, pack(plain))
    mapping = {**PAIRS, "files": ["*.csv", "*.csv.gz", "*.csv.zst"]}

    with pytest.raises(SourceError, match=r"unpacks to more than max_unpacked_ratio times its size; raise it in params"):
        ingested(folder, mapping, on_bad_file="stop", max_unpacked_ratio=20)


@pytest.mark.parametrize("name", ["export.csv.gz", "export.zip", "export.tar.gz"])
def test_what_unpacks_to_more_than_the_bound_is_refused(tmp_path: Path, name: str) -> None:
    content = gzip.compress(QUESTION * 100) if name.endswith("csv.gz") else PACKED[name]({"a.csv": QUESTION * 100})
    folder = received(tmp_path, name, content)

    with pytest.raises(SourceError, match="unpacks to more than max_unpacked_bytes; raise it in params or ignore the file"):
        ingested(folder, {**PAIRS, "files": ["*.csv", "*.csv.gz"]}, on_bad_file="stop", max_unpacked_bytes=1000)


@pytest.mark.parametrize("name", ["export.zip", "export.tar.gz", "export.tar.zst"])
def test_an_archive_that_is_cut_off_is_one_clear_error(tmp_path: Path, name: str) -> None:
    content = PACKED[name](FILES)
    folder = received(tmp_path, name, content[: len(content) // 2])

    with pytest.raises(SourceError, match=f"^{name}: .*fetch (it|the file) again$"):
        ingested(folder, PAIRS)


def parquet(question: str) -> bytes:
    buffer = io.BytesIO()
    pl.DataFrame({"question": [question], "answer": ["On its way."]}).write_parquet(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.zip", zipped({"in/log.parquet": parquet("Where?")})),
        ("a.tar.gz", gzip.compress(tarred({"log.parquet": parquet("Where?")}))),
        ("log.parquet.zst", zstandard.compress(parquet("Where?"))),
    ],
)
def test_a_packed_parquet_file_is_read_in_memory(tmp_path: Path, name: str, content: bytes) -> None:
    mapping = {**PAIRS, "files": ["*.parquet", "*.parquet.zst"]}

    assert list(texts(ingested(received(tmp_path, name, content), mapping)).values()) == [
        ["customer: Where?", "agent: On its way."]
    ]


def test_a_packed_parquet_file_too_large_for_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_rows, "HELD_PARQUET_BYTES", 2**6)

    with pytest.raises(SourceError, match=r"log\.parquet: is a packed Parquet file of more than 0 MiB; unpack it$"):
        ingested(received(tmp_path, "a.zip", zipped({"log.parquet": parquet("Where?")})), {**PAIRS, "files": ["*.parquet"]})


def test_an_archive_inside_an_archive_is_refused_with_what_to_do(tmp_path: Path) -> None:
    folder = received(tmp_path, "a.zip", zipped({"inner.zip": zipped(FILES)}))

    with pytest.raises(SourceError, match=r"inner\.zip: is an archive inside an archive; unpack the outer one$"):
        ingested(folder, {**PAIRS, "files": ["*"]})
