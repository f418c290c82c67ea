"""Regenerates the vendored protobuf modules: `python -m tools.regenerate_protos`.

Requires the wheels `tensorflow` and `tensorflow-serving-api`, whose files are read as text and not
imported. Run it after a change of their versions in the requirements.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib.metadata import distribution
from pathlib import Path, PurePosixPath

PACKAGE = "worker.protos"
HERE = Path(__file__).resolve().parents[1] / "worker" / "protos"

# The messages of the model client; all other modules are imported by these. The generated service
# stubs are left out: they import 18 more modules, for two method names.
ROOTS = (
    PurePosixPath("tensorflow_serving/apis/predict_pb2.py"),
    PurePosixPath("tensorflow_serving/apis/get_model_status_pb2.py"),
)
WHEELS = {"tensorflow": "tensorflow", "tensorflow_serving": "tensorflow-serving-api"}

_IMPORT = re.compile(r"^from (tensorflow(?:_serving)?(?:\.\w+)*) import (\w+) as ", re.MULTILINE)
# Imports, and the quoted module name that becomes the `__module__` of each class.
_OWN_NAME = re.compile(r"(?<=^from )(?=tensorflow)|(?<=DESCRIPTOR, ')(?=tensorflow)", re.MULTILINE)


def generate() -> dict[PurePosixPath, str]:
    """Return the text of every generated file by its path below the package.

    Raises:
        importlib.metadata.PackageNotFoundError: one of the two wheels is not installed.
    """
    files: dict[PurePosixPath, str] = {}
    for path, text in _closure():
        files[path] = _OWN_NAME.sub(f"{PACKAGE}.", text)
        files.update({folder / "__init__.py": "" for folder in path.parents if folder.name})
    return files


def _closure() -> Iterator[tuple[PurePosixPath, str]]:
    pending, seen = list(ROOTS), set(ROOTS)
    while pending:
        path = pending.pop()
        wheel = distribution(WHEELS[path.parts[0]])
        text = Path(str(wheel.locate_file(path))).read_text(encoding="utf-8")
        yield path, text
        for package, module in _IMPORT.findall(text):
            imported = PurePosixPath(*package.split("."), f"{module}.py")
            if imported not in seen:
                seen.add(imported)
                pending.append(imported)


def write(files: Mapping[PurePosixPath, str], root: Path) -> None:
    """Write the files below `root` and remove other generated ones."""
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
