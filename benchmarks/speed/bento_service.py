"""The same labelling as a BentoML service with one task: catalogue in, labelled catalogue out."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import bentoml

from benchmarks.speed.script import label_file
from benchmarks.speed.signature import Labeller


@bentoml.service(workers=1, traffic={"timeout": 600})
class Labels:
    """Takes model and column from environment variables."""

    def __init__(self) -> None:
        self._labeller = Labeller(Path(os.environ["BENCH_MODEL"]))

    @bentoml.task  # type: ignore[untyped-decorator]  # it is not installed where types are checked
    def label(self, catalogue: Path) -> str:
        """The catalogue with two more columns; as text, because a task cannot return a file."""
        output = Path(tempfile.mkdtemp()) / "labelled.csv"
        label_file(self._labeller, catalogue, output, os.environ["BENCH_COLUMN"])
        return output.read_text("utf-8")
