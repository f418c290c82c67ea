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
class FilePair:
    """One catalogue and its target."""

    source: Path
    target: Path


def default_target(source: Path, folder: Path | None = None) -> Path:
    """`NAME.labelled.csv` next to the input, or in the folder."""
    return (source.parent if folder is None else folder) / f"{source.stem}.labelled.csv"


def pair_files(
    names: Sequence[str], *, output: Path | None, output_dir: Path | None
) -> tuple[list[FilePair], list[Path]]:
    """Return the pairs in order, and the skipped files, which are results of the others.

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
        return [FilePair(source=sources[0], target=output)], []
    pairs = [FilePair(source=source, target=_target(source, output_dir)) for source in sources]
    results = {
        _absolute(pair.target) for pair in pairs if _absolute(pair.target) != _absolute(pair.source)
    }
    skipped = [pair.source for pair in pairs if _absolute(pair.source) in results]
    pairs = [pair for pair in pairs if pair.source not in skipped]
    _refuse_shared_targets(pairs)
    return pairs, skipped


def check(files: FilePair) -> None:
    """Raise `BadInput` if the source is not readable or the target not writable."""
    source, target = files.source, files.target
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
    paths = sorted(path for path in map(Path, matches) if path.is_file())
    if not paths:
        raise BadInput(f"No file matches {name}.")
    return paths


def _target(source: Path, folder: Path | None) -> Path:
    if source != STREAM:
        return default_target(source, folder)
    return STREAM if folder is None else folder / "stdin.labelled.csv"


def _absolute(path: Path) -> Path:
    """Return the resolved path, so that two names of one file are equal."""
    return path.resolve()


def _refuse_shared_targets(pairs: Sequence[FilePair]) -> None:
    counts = Counter(_absolute(pair.target) for pair in pairs)
    for target, number in counts.items():
        if number > 1:
            sources = ", ".join(
                str(pair.source) for pair in pairs if _absolute(pair.target) == target
            )
            raise BadInput(
                f"{sources} would all be written to {target.name}; "
                "label them with separate commands, each with -o."
            )
