"""File names from clients. They are displayed and offered for saving, never used as paths."""

from __future__ import annotations

_UNNAMED = "catalogue.csv"
_MAX_CHARACTERS = 150
_COMPRESSION_EXTENSIONS = (".gz", ".zip")
_TABLE_EXTENSIONS = (".csv", ".tsv", ".tab", ".txt", ".xlsx", ".xlsm")


def safe_filename(name: str | None) -> str:
    """Return the last component of a Unix or Windows path, printable and never empty."""
    last = (name or "").replace("\\", "/").rpartition("/")[2]
    printable = "".join(char for char in last if char.isprintable()).strip(" .")
    if len(printable) > _MAX_CHARACTERS:
        printable = printable[: _MAX_CHARACTERS // 2] + "…" + printable[-_MAX_CHARACTERS // 2 :]
    return printable or _UNNAMED


def download_name(filename: str, kind: str, ending: str = "csv") -> str:
    """Return `books.KIND.ENDING` for `books.csv` or `books.csv.gz`."""
    for extensions in (_COMPRESSION_EXTENSIONS, _TABLE_EXTENSIONS):
        for extension in extensions:
            if filename.lower().endswith(extension) and len(filename) > len(extension):
                filename = filename[: -len(extension)]
                break
    return f"{filename}.{kind}.{ending}"
