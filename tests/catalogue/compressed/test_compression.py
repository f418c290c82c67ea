"""Compressed catalogues: detected by content, decompressed within limits, refused with a reason."""

from __future__ import annotations

import errno
import gzip
import io
import random
import struct
import tracemalloc
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue.compressed.compression import Compression, detect_compression, gunzip
from catalogue.compressed.zip_archive import ZipArchive
from catalogue.errors import (
    ArchiveEncrypted,
    CatalogueError,
    CorruptArchive,
    EmptyArchive,
    MultipleFilesInArchive,
    UnpackedTooLarge,
)
from catalogue.limits import RATIO_COUNTS_FROM

MAX_BYTES = 10_000_000
TEXT = b"title,summary\nA,some words\n" * 1000


def cut(content: bytes, size: int) -> Iterator[bytes]:
    return (content[i : i + size] for i in range(0, len(content), size))


def archive(**files: bytes) -> io.BytesIO:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as zip_file:
        for name, content in files.items():
            zip_file.writestr(name.replace("__", "/").replace("_", "."), content)
    return stream


@pytest.mark.parametrize(
    ("head", "compression"),
    [
        (gzip.compress(b"x"), Compression.GZIP),
        (archive(a_csv=b"x").getvalue(), Compression.ZIP),
        (archive().getvalue(), Compression.ZIP),
        (b"title,summary", Compression.NONE),
        (b"", Compression.NONE),
        (b"PK is a title,summary", Compression.NONE),
    ],
)
def test_the_compression_is_detected_by_the_first_bytes(
    head: bytes, compression: Compression
) -> None:
    assert detect_compression(head) is compression


@given(st.binary(max_size=5000), st.integers(1, 4000), st.integers(1, 3))
def test_gzip_is_decompressed_in_any_segmentation(content: bytes, size: int, members: int) -> None:
    compressed = gzip.compress(content) * members
    assert b"".join(gunzip(cut(compressed, size), max_bytes=MAX_BYTES)) == content * members


def test_padding_after_a_gzip_file_is_ignored() -> None:
    assert b"".join(gunzip([gzip.compress(TEXT) + bytes(512)], max_bytes=MAX_BYTES)) == TEXT


@pytest.mark.parametrize(
    "compressed",
    [
        gzip.compress(TEXT)[:-1],
        gzip.compress(TEXT)[:40],
        gzip.compress(TEXT)[:-8] + bytes(8),
        b"\x1f\x8b\x08" + b"x" * 50,
        gzip.compress(TEXT) + b"\x1f\x8b",
    ],
    ids=["end", "middle", "checksum", "garbage", "second-member"],
)
def test_a_damaged_gzip_file_is_refused(compressed: bytes) -> None:
    with pytest.raises(CorruptArchive):
        list(gunzip(cut(compressed, 100), max_bytes=MAX_BYTES))


def test_a_gzip_bomb_is_refused_before_it_is_decompressed() -> None:
    bomb = zlib.compressobj(wbits=31)
    compressed = b"".join([bomb.compress(bytes(1 << 20)) for _ in range(200)]) + bomb.flush()
    decompressed = 0
    with pytest.raises(UnpackedTooLarge, match="100 times"):
        for block in gunzip(cut(compressed, 65536), max_bytes=1 << 40):
            assert len(block) <= 256 * 1024
            decompressed += len(block)
    assert decompressed <= RATIO_COUNTS_FROM + len(compressed) * 100
    with pytest.raises(UnpackedTooLarge, match=r"1,000,000 bytes"):
        list(gunzip(cut(compressed, 65536), max_bytes=1_000_000))


def test_the_only_file_of_a_zip_archive_is_the_catalogue_with_any_name() -> None:
    archive_file = ZipArchive(archive(folder__books_dat=TEXT))
    assert not archive_file.is_workbook
    assert b"".join(archive_file.read(archive_file.only_member(), max_bytes=MAX_BYTES)) == TEXT


def test_system_files_in_an_archive_are_ignored() -> None:
    entries = {
        "__MACOSX/._a.csv": b"x",
        "a/.DS_Store": b"x",
        "Thumbs.db": b"x",
        "a/": b"",
        "a/b.csv": TEXT,
    }
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as zip_file:
        for name, content in entries.items():
            zip_file.writestr(name, content)
    assert ZipArchive(stream).only_member() == "a/b.csv"


def test_an_archive_without_exactly_one_file_is_refused() -> None:
    with pytest.raises(MultipleFilesInArchive, match=r"a\.csv.*b\.csv"):
        ZipArchive(archive(a_csv=b"x", b_csv=b"y")).only_member()
    with pytest.raises(EmptyArchive):
        ZipArchive(archive()).only_member()
    with pytest.raises(MultipleFilesInArchive, match="1,000"):
        ZipArchive(archive(**{f"f{n}": b"" for n in range(1001)}))


def test_an_archive_with_a_password_is_refused() -> None:
    content = bytearray(archive(a_csv=TEXT).getvalue())
    central = content.index(b"PK\x01\x02")
    content[central + 8] |= 1
    with pytest.raises(ArchiveEncrypted):
        ZipArchive(io.BytesIO(bytes(content))).only_member()


@pytest.mark.parametrize("position", [0.3, 0.5, 0.9])
def test_a_damaged_archive_is_refused(position: float) -> None:
    whole = archive(a_csv=TEXT).getvalue()
    with pytest.raises(CorruptArchive):
        ZipArchive(io.BytesIO(whole[: int(len(whole) * position)]))
    name = whole.index(b"a.csv") + 8
    broken = whole[:name] + bytes(10) + whole[name + 10 :]
    with pytest.raises(CorruptArchive):
        list(ZipArchive(io.BytesIO(broken)).read("a.csv", max_bytes=MAX_BYTES))


def test_a_zip_bomb_is_refused_before_it_is_decompressed() -> None:
    stream = archive(a_csv=bytes(200 << 20))
    with pytest.raises(UnpackedTooLarge):
        list(ZipArchive(stream).read("a.csv", max_bytes=1 << 40))
    with pytest.raises(UnpackedTooLarge):
        next(ZipArchive(stream).read("a.csv", max_bytes=1 << 20))


def test_a_zip_archive_with_any_flipped_bit_is_refused_or_intact(tmp_path: Path) -> None:
    stream = archive(catalogue_csv=TEXT)
    whole, path = stream.getvalue(), tmp_path / "broken.zip"
    refused = 0
    for position in range(len(whole) * 8):
        broken = bytearray(whole)
        broken[position // 8] ^= 1 << position % 8
        path.write_bytes(broken)
        try:
            # A real file, because its own errors are not errors of the archive.
            with path.open("rb") as file:
                archive_file = ZipArchive(file)
                decompressed = b"".join(
                    archive_file.read(archive_file.only_member(), max_bytes=MAX_BYTES)
                )
        except CatalogueError:
            refused += 1
        else:
            assert decompressed == TEXT
    assert refused > len(whole)


def test_a_storage_error_is_not_reported_as_a_corrupt_archive() -> None:
    class FailingFile(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() < 100:
                raise OSError(errno.EIO, "the disk failed")
            return super().read(size)

    with pytest.raises(OSError, match="the disk failed"):
        archive_file = ZipArchive(FailingFile(archive(a_csv=TEXT).getvalue()))
        list(archive_file.read(archive_file.only_member(), max_bytes=MAX_BYTES))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_method_without_bounded_memory_is_refused(method: int) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as zip_file:
        zip_file.writestr("catalogue.csv", TEXT)
    with pytest.raises(CorruptArchive, match="unusual"):
        list(ZipArchive(stream).read("catalogue.csv", max_bytes=MAX_BYTES))


def directory_of(entries: int, *, zip64: bool) -> bytes:
    """A ZIP archive with this number of entries in its directory, all of one empty file."""
    local = struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 0, 0, 0, 0, 0, 0, 7, 0) + b"0000000"
    directory = b"".join(
        struct.pack("<4s6H3L5H2L", b"PK\1\2", 20, 20, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0)
        + b"%07d" % number
        for number in range(entries)
    )
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, entries & 0xFFFF, entries & 0xFFFF, len(directory), len(local), 0)  # fmt: skip
    if zip64:
        size, start = len(directory), len(local)
        end = (
            struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, entries, entries, size, start)
            + struct.pack("<4sLQL", b"PK\6\7", 0, start + size, 1)
            + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
        )
    return local + directory + end


@pytest.mark.parametrize("zip64", [False, True])
def test_a_zip_directory_is_read_up_to_a_limit_only(zip64: bool) -> None:
    assert ZipArchive(io.BytesIO(directory_of(1, zip64=zip64))).only_member() == "0000000"
    with pytest.raises(MultipleFilesInArchive):
        ZipArchive(io.BytesIO(directory_of(1_001, zip64=zip64)))
    stream = io.BytesIO(directory_of(200_000, zip64=zip64))  # 11 MB
    tracemalloc.start()
    with pytest.raises(MultipleFilesInArchive):
        ZipArchive(stream)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 << 20


def test_a_declared_compressed_size_above_the_file_size_is_not_trusted() -> None:
    content = bytearray(archive(a_csv=bytes(100 << 20)).getvalue())
    entry = content.rindex(b"PK\1\2")
    content[entry + 20 : entry + 24] = struct.pack("<L", 50 << 20)
    with pytest.raises(UnpackedTooLarge, match="100 times"):
        list(ZipArchive(io.BytesIO(bytes(content))).read("a.csv", max_bytes=1 << 40))


def test_a_gzip_file_of_many_empty_members_is_refused() -> None:
    read = 0

    def blocks() -> Iterator[bytes]:
        nonlocal read
        for _ in range(10_000):
            read += 1
            yield gzip.compress(b"") * 100

    with pytest.raises(CorruptArchive, match="members"):
        list(gunzip(blocks(), max_bytes=MAX_BYTES))
    assert read < 20


def test_a_gzip_file_may_have_many_members_with_content() -> None:
    content = random.Random(1).randbytes(5_000) * 2
    compressed = gzip.compress(content) * 3_000
    assert sum(map(len, gunzip(cut(compressed, 65_536), max_bytes=1 << 40))) == 30_000_000


@pytest.mark.parametrize("size", [1, 7, 4096])
def test_bytes_after_the_last_member_are_ignored_in_any_segmentation(size: int) -> None:
    blocks = cut(gzip.compress(TEXT) + bytes(100) + b"\x1f\x8b garbage", size)
    assert b"".join(gunzip(blocks, max_bytes=MAX_BYTES)) == TEXT
    assert next(blocks, None) is None
