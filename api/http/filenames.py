"""Names of files that clients send: only ever shown and offered for saving, never used as paths."""

from __future__ import annotations

_UNNAMED = "catalogue.csv"
_LONGEST = 150
_PACKED = (".gz", ".zip")
_TABLES = (".csv", ".tsv", ".tab", ".txt", ".xlsx", ".xlsm")


def safe_filename(name: str | None) -> str:
    """The last component of a path of any system, without what cannot be printed; never empty."""
    last = (name or "").replace("\\", "/").rpartition("/")[2]
    printable = "".join(char for char in last if char.isprintable()).strip(" .")
    if len(printable) > _LONGEST:
        printable = printable[: _LONGEST // 2] + "…" + printable[-_LONGEST // 2 :]
    return printable or _UNNAMED


def download_name(filename: str, kind: str, ending: str = "csv") -> str:
    """`books.csv` and `books.csv.gz` → `books.KIND.ENDING`."""
    for extensions in (_PACKED, _TABLES):
        for extension in extensions:
            if filename.lower().endswith(extension) and len(filename) > len(extension):
                filename = filename[: -len(extension)]
                break
    return f"{filename}.{kind}.{ending}"
