"""Which catalogues a command labels, and where each labelled one goes."""

from __future__ import annotations

import glob
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import BadInput

STREAM = Path("-")
"""Standard input as a source, standard output as a target."""


@dataclass(frozen=True, kw_only=True)
class LabelTarget:
    """One catalogue and its target."""

    source: Path
    target: Path


def default_target(source: Path, folder: Path | None = None) -> Path:
    """`NAME.labelled.csv` next to the input, or in the folder."""
    return (source.parent if folder is None else folder) / f"{source.stem}.labelled.csv"


def assign(
    names: Sequence[str], *, output: Path | None, output_dir: Path | None
) -> tuple[list[LabelTarget], list[Path]]:
    """Return the targets in order, and the skipped files, which are results of the others.

    A pattern such as `*.csv` also matches results of earlier runs; these are skipped. Raises
    `BadInput` for contradictory options; `check` tests the files themselves.
    """
    sources = list(dict.fromkeys(path for name in names for path in _expanded(name)))
    if STREAM in sources and len(sources) > 1:
        raise BadInput("- (standard input) stands alone; label the files with another command.")
    if output is not None and output_dir is not None:
        raise BadInput("Either --output or --output-dir, not both.")
    if output is not None:
        if len(sources) > 1:
            raise BadInput(
                f"--output is for one file, and these are {len(sources)}; use --output-dir."
            )
        return [LabelTarget(source=sources[0], target=output)], []
    wanted = [LabelTarget(source=source, target=_target(source, output_dir)) for source in sources]
    results = {_place(a.target) for a in wanted if _place(a.target) != _place(a.source)}
    passed_over = [a.source for a in wanted if _place(a.source) in results]
    wanted = [a for a in wanted if a.source not in passed_over]
    _refuse_shared_targets(wanted)
    return wanted, passed_over


def check(assignment: LabelTarget) -> None:
    """Raise `BadInput` if the source is not readable or the target not writable."""
    source, target = assignment.source, assignment.target
    if source != STREAM:
        _check_source(source)
    if target == STREAM:
        return
    if not target.parent.is_dir():
        raise BadInput(f"There is no folder {target.parent} for the result; make it or choose -o.")
    if not os.access(target.parent, os.W_OK):
        raise BadInput(f"The folder {target.parent} cannot be written to; choose -o elsewhere.")
    if target.is_dir():
        raise BadInput(f"{target} is a folder; name a file with -o.")
    if source != STREAM and target.exists() and target.samefile(source):
        raise BadInput(
            "The result would replace the catalogue itself; choose another name with -o."
        )


def _check_source(source: Path) -> None:
    try:
        with source.open("rb"):
            pass
    except FileNotFoundError as error:
        raise BadInput(f"There is no file {source}.") from error
    except IsADirectoryError as error:
        raise BadInput(f"{source} is a folder; name a catalogue file.") from error
    except OSError as error:
        raise BadInput(f"{source} cannot be read: {error.strerror}.") from error


def _expanded(name: str) -> list[Path]:
    """Return the files that match a name.

    Shells do not expand quoted patterns, and Windows expands none.
    """
    if name == str(STREAM) or Path(name).exists() or not glob.has_magic(name):
        return [Path(name)]
    matches = glob.glob(name, recursive=True)  # noqa: PTH207  # Path.glob takes no absolute pattern
    found = sorted(path for path in map(Path, matches) if path.is_file())
    if not found:
        raise BadInput(f"No file matches {name}.")
    return found


def _target(source: Path, folder: Path | None) -> Path:
    if source != STREAM:
        return default_target(source, folder)
    return STREAM if folder is None else folder / "stdin.labelled.csv"


def _place(path: Path) -> Path:
    """Return the resolved path, so that two names of one file are equal."""
    return path.resolve()


def _refuse_shared_targets(assignments: Sequence[LabelTarget]) -> None:
    counts = Counter(_place(a.target) for a in assignments)
    for target, number in counts.items():
        if number > 1:
            rivals = ", ".join(str(a.source) for a in assignments if _place(a.target) == target)
            raise BadInput(
                f"{rivals} would all be written to {target.name}; label them with commands of "
                "their own, each with -o."
            )
