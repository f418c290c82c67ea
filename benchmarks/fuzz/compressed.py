"""Generators of compressed uploads: gzip, ZIP and workbooks, damaged ones, decompression bombs."""

from __future__ import annotations

import csv
import gzip
import io
import random
import zipfile
from dataclasses import dataclass, field
from functools import lru_cache

from openpyxl import Workbook

from benchmarks.fuzz import generators
from benchmarks.fuzz.generators import Expected

_TEXTS = (
    generators.plain,
    generators.ragged,
    generators.formulas,
    generators.broken_quotes,
    generators.utf_16,
    generators.mutated,
)
_IGNORED_MEMBERS = ("__MACOSX/._catalogue.csv", ".DS_Store", "folder/")
_CELLS: tuple[str | float | None, ...] = (
    None, "a murder in the old castle", 'quoted "twice"', "two\nlines", "a,b;c", "📚 ж", "+1",
    "@SUM(A1)", " ", "nanword", "poisonword", 7, 2.5, "x" * 3000,
)  # fmt: skip
_BOMBS = (
    "gzip",
    "empty members",
    "zip",
    "directory",
    "LZMA",
    "NULs",
    "pretended workbook",
    "nested",
)
# More than a small compressed file may grow to.
_BOMB_BYTES = 200_000_000


@dataclass(frozen=True)
class Upload:
    """An upload and the text inside it."""

    content: bytes = field(repr=False)
    text: bytes = field(repr=False)
    expected: Expected


def as_upload(generated: bytes | tuple[bytes, Expected] | Upload) -> Upload:
    """The output of a generator as an upload; without compression the content is the text."""
    if isinstance(generated, Upload):
        return generated
    content, expected = generated if isinstance(generated, tuple) else (generated, Expected.EITHER)
    return Upload(content, content, expected)


def archives(random_: random.Random) -> Upload:
    """A catalogue in gzip or ZIP; sometimes damaged, or with a second file."""
    inside = as_upload(random_.choice(_TEXTS)(random_))
    text, expected = inside.text, inside.expected
    kind = random_.choice(("gzip", "members", "empty members", "zip", "litter", "several"))
    if kind == "gzip":
        content = gzip.compress(text)
    elif kind == "empty members":
        content = gzip.compress(b"") * random_.randint(1, 500) + gzip.compress(text)
    elif kind == "members":  # several members are one file
        middle = random_.randint(0, len(text))
        content = gzip.compress(text[:middle]) + gzip.compress(text[middle:])
    else:
        others = {"zip": (), "litter": _IGNORED_MEMBERS, "several": ("more.csv",)}[kind]
        content = _zip({"catalogue.csv": text} | dict.fromkeys(others, b""))
        expected = Expected.REFUSED if kind == "several" else expected
    damage = random_.random()
    if damage < 0.2:
        return Upload(content[: random_.randrange(len(content) - 1)], text, Expected.REFUSED)
    if damage < 0.4:
        return Upload(_flipped(content, random_), text, Expected.EITHER)
    return Upload(content, text, expected)


def workbooks(random_: random.Random) -> Upload:
    """A valid workbook with cells of all kinds; sometimes damaged."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    rows: list[list[str | float | None]] = [["id", "title", "summary"]]
    for _ in range(random_.randint(1, 30)):
        rows.append(random_.choices(_CELLS, k=random_.choice((0, 1, 2, 3, 3, 3, 3, 4, 6))))
    rows.append(["last", None, "a ghost of london"])  # trailing blank lines are dropped
    for row in rows:
        sheet.append(row)
    stream = io.BytesIO()
    book.save(stream)
    content, text = stream.getvalue(), b"\xef\xbb\xbf" + "".join(map(_line, rows)).encode()
    damage = random_.random()
    if damage < 0.2:
        return Upload(content[: random_.randrange(len(content) - 1)], text, Expected.REFUSED)
    if damage < 0.4:
        return Upload(_flipped(content, random_), text, Expected.EITHER)
    return Upload(content, text, Expected.ACCEPTED)


def bombs(random_: random.Random) -> tuple[bytes, Expected]:
    """Small files that decompress to large ones, and archives with misleading content."""
    return _bomb(random_.choice(_BOMBS)), Expected.REFUSED


@lru_cache
def _bomb(kind: str) -> bytes:
    text = b"id,summary\n" + b"1,a murder\n" * (_BOMB_BYTES // 11)
    match kind:
        case "gzip":
            return gzip.compress(text)
        case "empty members":
            return gzip.compress(b"") * 100_000 + gzip.compress(b"id,summary\n1,a murder\n")
        case "zip":
            return _zip({"catalogue.csv": text})
        case "directory":
            return _zip({f"{number}.csv": b"" for number in range(30_000)})
        case "LZMA":
            return _zip({"catalogue.csv": text}, zipfile.ZIP_LZMA)
        case "NULs":
            return gzip.compress(bytes(20_000_000))
        case "pretended workbook":
            return _zip({"[Content_Types].xml": b"<x/>", "xl/workbook.xml": text})
    return _zip({"catalogue.csv": gzip.compress(text)})


def _zip(members: dict[str, bytes], kind: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", kind) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def _flipped(content: bytes, random_: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(random_.randint(1, 4)):
        changed[random_.randrange(len(changed))] ^= 1 << random_.randrange(8)
    return bytes(changed)


def _line(row: list[str | float | None]) -> str:
    while row and row[-1] is None:  # workbooks do not store empty cells at the end of a row
        row = row[:-1]
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerow(["" if c is None else c for c in row])
    return stream.getvalue()
