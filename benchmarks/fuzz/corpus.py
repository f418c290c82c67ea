"""Hostile catalogues by seed and number. A catalogue does not depend on those before it."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from benchmarks.fuzz import compressed, generators, malformed_workbooks
from benchmarks.fuzz.compressed import Upload
from benchmarks.fuzz.generators import Expected


@dataclass(frozen=True, kw_only=True)
class Case:
    """One upload."""

    number: int
    kind: str
    content: bytes = field(repr=False)
    text: bytes = field(repr=False)  # the catalogue inside, or the content itself
    expected: Expected = Expected.EITHER
    filename: str = "catalogue.csv"
    form: bool = False  # multipart instead of the plain body


_FILENAMES = (
    "catalogue.csv",
    "../../etc/passwd",
    "a\x00b.csv",
    "bücher 📚.csv",
    "x" * 400,
    "",
    "con.csv",
)


def make_case(number: int, seed: int) -> Case:
    """Generate the catalogue with this number; its kind is drawn by weight."""
    random_ = random.Random(f"{seed}/{number}")
    kinds = list(_KINDS)
    kind = random_.choices(kinds, [_KINDS[name][0] for name in kinds])[0]
    upload = compressed.as_upload(_KINDS[kind][1](random_))
    return Case(
        number=number,
        kind=kind,
        content=upload.content,
        text=upload.text,
        expected=upload.expected,
        filename=random_.choice(_FILENAMES),
        form=random_.random() < 0.3,
    )


# Weight and generator; expensive ones are rare.
_KINDS: Mapping[
    str, tuple[float, Callable[[random.Random], bytes | tuple[bytes, Expected] | Upload]]
] = {
    "plain": (4, generators.plain),
    "broken quotes": (12, generators.broken_quotes),
    "NULs": (5, generators.nuls),
    "lone surrogates, broken UTF-8": (6, generators.surrogates),
    "1 MB cells": (1, generators.huge_cells),
    "records over 4 MiB": (0.3, generators.long_records),
    "columns by the thousand": (1, generators.many_columns),
    "cells by the ten thousand": (1.5, generators.many_cells),
    "equal names": (2, generators.equal_names),
    "ragged rows": (7, generators.ragged),
    "mixed line ends": (7, generators.line_ends),
    "UTF-16 halves": (7, generators.utf_16),
    "formula cells": (4, generators.formulas),
    "duplicate and clashing headers": (7, generators.headers),
    "a BOM in the middle": (4, generators.bom_inside),
    "only a header": (3, generators.only_header),
    "empty lines by the million": (2, generators.empty_lines),
    "nothing": (3, generators.nothing),
    "gzip and zip": (4, compressed.archives),
    "gzip and zip bombs": (1.5, compressed.bombs),
    "workbooks": (3, compressed.workbooks),
    "malformed workbooks": (2, malformed_workbooks.malformed_workbooks),
    "noise": (7, generators.noise),
    "mutated": (18, generators.mutated),
    "Unicode soup": (6, generators.soup),
    "sep= lines": (4, generators.separators),
}


def kinds() -> list[str]:
    """The names of all kinds."""
    return list(_KINDS)
