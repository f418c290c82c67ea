"""Makers of packed uploads: catalogues in gzip, ZIP and workbooks, damaged ones, and bombs."""

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
from benchmarks.fuzz.generators import Fate

_TEXTS = (generators.plain, generators.ragged, generators.formulas, generators.broken_quotes, generators.utf_16, generators.mutated)  # fmt: skip
_LITTER = ("__MACOSX/._catalogue.csv", ".DS_Store", "folder/")
_CELLS: tuple[str | float | None, ...] = (None, "a murder in the old castle", 'quoted "twice"', "two\nlines", "a,b;c", "📚 ж", "+1", "@SUM(A1)", " ",
          "nanword", "poisonword", 7, 2.5, "x" * 3000)  # fmt: skip
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
# More than a packed file may grow to without being suspected.
_BOMB_BYTES = 200_000_000


@dataclass(frozen=True)
class Packed:
    """An upload and the text inside it."""

    content: bytes = field(repr=False)
    text: bytes = field(repr=False)
    fate: Fate


def as_packed(made: bytes | tuple[bytes, Fate] | Packed) -> Packed:
    """What a maker made; where it packs nothing, the content is the text, and its fate is open unless it says so."""
    if isinstance(made, Packed):
        return made
    content, fate = made if isinstance(made, tuple) else (made, Fate.EITHER)
    return Packed(content, content, fate)


def archives(random_: random.Random) -> Packed:
    """Any maker's catalogue in gzip or ZIP; now and then damaged, or one file too many."""
    inside = as_packed(random_.choice(_TEXTS)(random_))
    text, fate = inside.text, inside.fate
    kind = random_.choice(("gzip", "members", "empty members", "zip", "litter", "several"))
    if kind == "gzip":
        content = gzip.compress(text)
    elif kind == "empty members":
        content = gzip.compress(b"") * random_.randint(1, 500) + gzip.compress(text)
    elif kind == "members":  # one file, as gzip itself reads it
        middle = random_.randint(0, len(text))
        content = gzip.compress(text[:middle]) + gzip.compress(text[middle:])
    else:
        others = {"zip": (), "litter": _LITTER, "several": ("more.csv",)}[kind]
        content = _zip({"catalogue.csv": text} | dict.fromkeys(others, b""))
        fate = Fate.REFUSED if kind == "several" else fate
    damage = random_.random()
    if damage < 0.2:
        return Packed(content[: random_.randrange(len(content) - 1)], text, Fate.REFUSED)
    if damage < 0.4:
        return Packed(_flipped(content, random_), text, Fate.EITHER)
    return Packed(content, text, fate)


def workbooks(random_: random.Random) -> Packed:
    """A real workbook with cells of all kinds; now and then damaged."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    rows: list[list[str | float | None]] = [["id", "title", "summary"]]
    for _ in range(random_.randint(1, 30)):
        rows.append(random_.choices(_CELLS, k=random_.choice((0, 1, 2, 3, 3, 3, 3, 4, 6))))
    rows.append(["last", None, "a ghost of london"])  # blank lines at the end are left out
    for row in rows:
        sheet.append(row)
    stream = io.BytesIO()
    book.save(stream)
    content, text = stream.getvalue(), b"\xef\xbb\xbf" + "".join(map(_line, rows)).encode()
    damage = random_.random()
    if damage < 0.2:
        return Packed(content[: random_.randrange(len(content) - 1)], text, Fate.REFUSED)
    if damage < 0.4:
        return Packed(_flipped(content, random_), text, Fate.EITHER)
    return Packed(content, text, Fate.ACCEPTED)


def bombs(random_: random.Random) -> tuple[bytes, Fate]:
    """Small files that would be large ones, and archives that are not what they seem."""
    return _bomb(random_.choice(_BOMBS)), Fate.REFUSED


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
    while row and row[-1] is None:  # to a workbook, empty cells at the end of a row are none
        row = row[:-1]
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerow(["" if c is None else c for c in row])
    return stream.getvalue()
