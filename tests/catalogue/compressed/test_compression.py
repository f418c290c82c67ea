"""Packed catalogues: unpacked whatever their name, within bounds, and refused with a reason otherwise."""

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

MOST = 10_000_000
TEXT = b"title,summary\nA,some words\n" * 1000


def cut(content: bytes, size: int) -> Iterator[bytes]:
    return (content[i : i + size] for i in range(0, len(content), size))


def archive(**files: bytes) -> io.BytesIO:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name.replace("__", "/").replace("_", "."), content)
    return stream


@pytest.mark.parametrize(
    ("head", "packing"),
    [
        (gzip.compress(b"x"), Compression.GZIP),
        (archive(a_csv=b"x").getvalue(), Compression.ZIP),
        (archive().getvalue(), Compression.ZIP),
        (b"title,summary", Compression.NONE),
        (b"", Compression.NONE),
        (b"PK is a title,summary", Compression.NONE),
    ],
)
def test_packing_is_recognised_by_the_first_bytes(head: bytes, packing: Compression) -> None:
    assert detect_compression(head) is packing


@given(st.binary(max_size=5000), st.integers(1, 4000), st.integers(1, 3))
def test_gzip_gives_back_what_was_packed_however_it_arrives(
    content: bytes, size: int, members: int
) -> None:
    packed = gzip.compress(content) * members
    assert b"".join(gunzip(cut(packed, size), max_bytes=MOST)) == content * members


def test_padding_behind_a_gzip_file_is_passed_over() -> None:
    assert b"".join(gunzip([gzip.compress(TEXT) + bytes(512)], max_bytes=MOST)) == TEXT


@pytest.mark.parametrize(
    "packed",
    [
        gzip.compress(TEXT)[:-1],
        gzip.compress(TEXT)[:40],
        gzip.compress(TEXT)[:-8] + bytes(8),
        b"\x1f\x8b\x08" + b"x" * 50,
        gzip.compress(TEXT) + b"\x1f\x8b",
    ],
    ids=["end", "middle", "checksum", "garbage", "second-member"],
)
def test_a_damaged_gzip_file_is_refused(packed: bytes) -> None:
    with pytest.raises(CorruptArchive):
        list(gunzip(cut(packed, 100), max_bytes=MOST))


def test_a_gzip_bomb_is_refused_before_it_is_unpacked() -> None:
    bomb = zlib.compressobj(wbits=31)
    packed = b"".join([bomb.compress(bytes(1 << 20)) for _ in range(200)]) + bomb.flush()
    unpacked = 0
    with pytest.raises(UnpackedTooLarge, match="100 times"):
        for block in gunzip(cut(packed, 65536), max_bytes=1 << 40):
            assert len(block) <= 256 * 1024
            unpacked += len(block)
    assert unpacked <= RATIO_COUNTS_FROM + len(packed) * 100
    with pytest.raises(UnpackedTooLarge, match=r"1,000,000 bytes"):
        list(gunzip(cut(packed, 65536), max_bytes=1_000_000))


def test_the_only_file_of_a_zip_archive_is_the_table_whatever_its_name() -> None:
    found = ZipArchive(archive(folder__books_dat=TEXT))
    assert not found.is_workbook
    assert b"".join(found.read(found.only_member(), max_bytes=MOST)) == TEXT


def test_what_systems_leave_in_an_archive_does_not_count() -> None:
    litter = {
        "__MACOSX/._a.csv": b"x",
        "a/.DS_Store": b"x",
        "Thumbs.db": b"x",
        "a/": b"",
        "a/b.csv": TEXT,
    }
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as packed:
        for name, content in litter.items():
            packed.writestr(name, content)
    assert ZipArchive(stream).only_member() == "a/b.csv"


def test_an_archive_of_several_files_or_none_is_refused_with_their_names() -> None:
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


@pytest.mark.parametrize("place", [0.3, 0.5, 0.9])
def test_a_damaged_archive_is_refused(place: float) -> None:
    whole = archive(a_csv=TEXT).getvalue()
    with pytest.raises(CorruptArchive):
        ZipArchive(io.BytesIO(whole[: int(len(whole) * place)]))
    name = whole.index(b"a.csv") + 8
    broken = whole[:name] + bytes(10) + whole[name + 10 :]
    with pytest.raises(CorruptArchive):
        list(ZipArchive(io.BytesIO(broken)).read("a.csv", max_bytes=MOST))


def test_a_zip_bomb_is_refused_before_it_is_unpacked() -> None:
    stream = archive(a_csv=bytes(200 << 20))
    with pytest.raises(UnpackedTooLarge):
        list(ZipArchive(stream).read("a.csv", max_bytes=1 << 40))
    with pytest.raises(UnpackedTooLarge):
        next(ZipArchive(stream).read("a.csv", max_bytes=1 << 20))


def test_a_zip_archive_is_refused_for_what_is_broken_wherever_that_is(tmp_path: Path) -> None:
    stream = archive(catalogue_csv=TEXT)
    whole, path = stream.getvalue(), tmp_path / "broken.zip"
    refused = 0
    for place in range(len(whole) * 8):
        broken = bytearray(whole)
        broken[place // 8] ^= 1 << place % 8
        path.write_bytes(broken)
        try:
            with path.open("rb") as file:  # of the disk, whose own errors are not the archive's
                found = ZipArchive(file)
                unpacked = b"".join(found.read(found.only_member(), max_bytes=MOST))
        except CatalogueError:
            refused += 1
        else:
            assert unpacked == TEXT
    assert refused > len(whole)


def test_an_error_of_the_storage_is_none_of_the_archive() -> None:
    class Gone(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() < 100:
                raise OSError(errno.EIO, "the disk is gone")
            return super().read(size)

    with pytest.raises(OSError, match="the disk is gone"):
        found = ZipArchive(Gone(archive(a_csv=TEXT).getvalue()))
        list(found.read(found.only_member(), max_bytes=MOST))


@pytest.mark.parametrize("kind", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_archive_that_cannot_be_unpacked_in_bounded_memory_is_refused(kind: int) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", kind) as packed:
        packed.writestr("catalogue.csv", TEXT)
    with pytest.raises(CorruptArchive, match="unusual"):
        list(ZipArchive(stream).read("catalogue.csv", max_bytes=MOST))


def directory_of(entries: int, *, zip64: bool) -> bytes:
    """A ZIP archive whose directory has so many entries, all of one empty file."""
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
def test_a_zip_directory_is_not_read_beyond_its_bound(zip64: bool) -> None:
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


def test_a_zip_member_is_not_believed_to_be_packed_in_more_bytes_than_the_file_has() -> None:
    content = bytearray(archive(a_csv=bytes(100 << 20)).getvalue())
    entry = content.rindex(b"PK\1\2")
    content[entry + 20 : entry + 24] = struct.pack("<L", 50 << 20)
    with pytest.raises(UnpackedTooLarge, match="100 times"):
        list(ZipArchive(io.BytesIO(bytes(content))).read("a.csv", max_bytes=1 << 40))


def test_a_gzip_file_of_empty_members_is_refused_after_some() -> None:
    taken = 0

    def blocks() -> Iterator[bytes]:
        nonlocal taken
        for _ in range(10_000):
            taken += 1
            yield gzip.compress(b"") * 100

    with pytest.raises(CorruptArchive, match="members"):
        list(gunzip(blocks(), max_bytes=MOST))
    assert taken < 20


def test_a_gzip_file_may_have_as_many_members_as_its_content_explains() -> None:
    content = random.Random(1).randbytes(5_000) * 2
    packed = gzip.compress(content) * 3_000
    assert sum(map(len, gunzip(cut(packed, 65_536), max_bytes=1 << 40))) == 30_000_000


@pytest.mark.parametrize("size", [1, 7, 4096])
def test_what_follows_the_last_member_is_passed_over_however_it_is_cut(size: int) -> None:
    blocks = cut(gzip.compress(TEXT) + bytes(100) + b"\x1f\x8b garbage", size)
    assert b"".join(gunzip(blocks, max_bytes=MOST)) == TEXT
    assert next(blocks, None) is None
