"""Writes the vendored protobuf modules again: `python -m tools.regenerate_protos`.

Needs the `tensorflow` and `tensorflow-serving-api` wheels installed (their files are read as text, never
imported). Run it after changing the version of either in the requirements.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib.metadata import distribution
from pathlib import Path, PurePosixPath

PACKAGE = "worker.protos"
HERE = Path(__file__).resolve().parents[1] / "worker" / "protos"

# What the model client says on the wire; every other module is here because one of these imports it.
# The generated service stubs are left out: they import 18 modules more, for two method names.
ROOTS = (
    PurePosixPath("tensorflow_serving/apis/predict_pb2.py"),
    PurePosixPath("tensorflow_serving/apis/get_model_status_pb2.py"),
)
WHEELS = {"tensorflow": "tensorflow", "tensorflow_serving": "tensorflow-serving-api"}

_IMPORT = re.compile(r"^from (tensorflow(?:_serving)?(?:\.\w+)*) import (\w+) as ", re.MULTILINE)
# Imports, and the quoted module name that each class carries as its `__module__`.
_OWN_NAME = re.compile(r"(?<=^from )(?=tensorflow)|(?<=DESCRIPTOR, ')(?=tensorflow)", re.MULTILINE)


def generate() -> dict[PurePosixPath, str]:
    """The text of every generated file, by its path below this package.

    Raises:
        importlib.metadata.PackageNotFoundError: one of the two wheels is not installed.
    """
    files: dict[PurePosixPath, str] = {}
    for path, text in _closure():
        files[path] = _OWN_NAME.sub(f"{PACKAGE}.", text)
        files.update({folder / "__init__.py": "" for folder in path.parents if folder.name})
    return files


def _closure() -> Iterator[tuple[PurePosixPath, str]]:
    waiting, seen = list(ROOTS), set(ROOTS)
    while waiting:
        path = waiting.pop()
        wheel = distribution(WHEELS[path.parts[0]])
        text = Path(str(wheel.locate_file(path))).read_text(encoding="utf-8")
        yield path, text
        for package, module in _IMPORT.findall(text):
            found = PurePosixPath(*package.split("."), f"{module}.py")
            if found not in seen:
                seen.add(found)
                waiting.append(found)


def write(files: Mapping[PurePosixPath, str], root: Path) -> None:
    """Makes `root` hold exactly these generated files; stale generated ones are removed."""
    for package in WHEELS:
        for old in (root / package).rglob("*.py"):
            if PurePosixPath(old.relative_to(root)) not in files:
                old.unlink()
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    generated = generate()
    write(generated, HERE)
    print(f"{len(generated)} files written under {HERE}")
