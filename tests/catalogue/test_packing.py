"""Packed catalogues: unpacked whatever their name, within bounds, and refused with a reason otherwise."""

from __future__ import annotations

import errno
import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue import packing
from catalogue.archive import Archive
from catalogue.errors import (
    ArchiveDamaged,
    ArchiveEncrypted,
    ArchiveWithoutTable,
    CatalogueError,
    SeveralTables,
    UnpackedTooLarge,
)
from catalogue.packing import Packing, gunzip, recognise_packing

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
        (gzip.compress(b"x"), Packing.GZIP),
        (archive(a_csv=b"x").getvalue(), Packing.ZIP),
        (archive().getvalue(), Packing.ZIP),
        (b"title,summary", Packing.NONE),
        (b"", Packing.NONE),
        (b"PK is a title,summary", Packing.NONE),
    ],
)
def test_packing_is_recognised_by_the_first_bytes(head: bytes, packing: Packing) -> None:
    assert recognise_packing(head) is packing


@given(st.binary(max_size=5000), st.integers(1, 4000), st.integers(1, 3))
def test_gzip_gives_back_what_was_packed_however_it_arrives(
    content: bytes, size: int, members: int
) -> None:
    packed = gzip.compress(content) * members
    assert b"".join(gunzip(cut(packed, size), most_bytes=MOST)) == content * members


def test_padding_behind_a_gzip_file_is_passed_over() -> None:
    assert b"".join(gunzip([gzip.compress(TEXT) + bytes(512)], most_bytes=MOST)) == TEXT


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
    with pytest.raises(ArchiveDamaged):
        list(gunzip(cut(packed, 100), most_bytes=MOST))


def test_a_gzip_bomb_is_refused_before_it_is_unpacked() -> None:
    bomb = zlib.compressobj(wbits=31)
    packed = b"".join([bomb.compress(bytes(1 << 20)) for _ in range(200)]) + bomb.flush()
    unpacked = 0
    with pytest.raises(UnpackedTooLarge, match="100 times"):
        for block in gunzip(cut(packed, 65536), most_bytes=1 << 40):
            assert len(block) <= 256 * 1024
            unpacked += len(block)
    assert unpacked <= packing._RATIO_COUNTS_FROM + len(packed) * 100
    with pytest.raises(UnpackedTooLarge, match=r"1,000,000 bytes"):
        list(gunzip(cut(packed, 65536), most_bytes=1_000_000))


def test_the_only_file_of_a_zip_archive_is_the_table_whatever_its_name() -> None:
    found = Archive(archive(folder__books_dat=TEXT))
    assert not found.is_workbook
    assert b"".join(found.read(found.table(), most_bytes=MOST)) == TEXT


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
    assert Archive(stream).table() == "a/b.csv"


def test_an_archive_of_several_files_or_none_is_refused_with_their_names() -> None:
    with pytest.raises(SeveralTables, match=r"a\.csv.*b\.csv"):
        Archive(archive(a_csv=b"x", b_csv=b"y")).table()
    with pytest.raises(ArchiveWithoutTable):
        Archive(archive()).table()
    with pytest.raises(SeveralTables, match="1,000"):
        Archive(archive(**{f"f{n}": b"" for n in range(1001)}))


def test_an_archive_with_a_password_is_refused() -> None:
    content = bytearray(archive(a_csv=TEXT).getvalue())
    central = content.index(b"PK\x01\x02")
    content[central + 8] |= 1
    with pytest.raises(ArchiveEncrypted):
        Archive(io.BytesIO(bytes(content))).table()


@pytest.mark.parametrize("place", [0.3, 0.5, 0.9])
def test_a_damaged_archive_is_refused(place: float) -> None:
    whole = archive(a_csv=TEXT).getvalue()
    with pytest.raises(ArchiveDamaged):
        Archive(io.BytesIO(whole[: int(len(whole) * place)]))
    name = whole.index(b"a.csv") + 8
    broken = whole[:name] + bytes(10) + whole[name + 10 :]
    with pytest.raises(ArchiveDamaged):
        list(Archive(io.BytesIO(broken)).read("a.csv", most_bytes=MOST))


def test_a_zip_bomb_is_refused_before_it_is_unpacked() -> None:
    stream = archive(a_csv=bytes(200 << 20))
    with pytest.raises(UnpackedTooLarge):
        list(Archive(stream).read("a.csv", most_bytes=1 << 40))
    with pytest.raises(UnpackedTooLarge):
        next(Archive(stream).read("a.csv", most_bytes=1 << 20))


@pytest.mark.parametrize("kind", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_archive_is_refused_for_what_is_broken_wherever_that_is(
    kind: int, tmp_path: Path
) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", kind) as packed:
        packed.writestr("catalogue.csv", TEXT)
    whole, path = stream.getvalue(), tmp_path / "broken.zip"
    refused = 0
    for place in range(len(whole) * 8):
        broken = bytearray(whole)
        broken[place // 8] ^= 1 << place % 8
        path.write_bytes(broken)
        try:
            with path.open("rb") as file:  # of the disk, whose own errors are not the archive's
                found = Archive(file)
                unpacked = b"".join(found.read(found.table(), most_bytes=MOST))
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
        found = Archive(Gone(archive(a_csv=TEXT).getvalue()))
        list(found.read(found.table(), most_bytes=MOST))
