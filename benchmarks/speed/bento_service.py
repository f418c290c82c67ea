"""The same labelling as a BentoML service: one task, to which a catalogue is sent and whose result is fetched later."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import bentoml

from benchmarks.speed.script import label_file
from benchmarks.speed.signature import Labeller


@bentoml.service(workers=1, traffic={"timeout": 600})
class Labels:
    """Told by the environment which model and column to use."""

    def __init__(self) -> None:
        self._labeller = Labeller(Path(os.environ["BENCH_MODEL"]))

    @bentoml.task  # type: ignore[untyped-decorator]  # it is not installed where types are checked
    def label(self, catalogue: Path) -> str:
        """The catalogue with two more columns; as text, since a task of this version cannot return a file."""
        output = Path(tempfile.mkdtemp()) / "labelled.csv"
        label_file(self._labeller, catalogue, output, os.environ["BENCH_COLUMN"])
        return output.read_text("utf-8")
