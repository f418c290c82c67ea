"""The files that identify a run directory, and its publication."""

import json
import os
import subprocess
import sys
from pathlib import Path

from training.config import TrainingConfig
from training.data.dataset import Corpus, ExtraTexts
from training.errors import TrainingError

FINAL = "final"
"""Folder of the sequence model that is trained on all rows."""

ARTIFACTS = "artifacts"
"""Folder of what the models of a fold share; ``all`` in it belongs to the final model."""


def open_run(workdir: Path, corpus: Corpus, extra: ExtraTexts, config: TrainingConfig) -> None:
    """Create the directory, or check that its run has the same inputs.

    Raises:
        TrainingError: the run there has other data, other extra texts or another configuration.
    """
    workdir.mkdir(parents=True, exist_ok=True)
    inputs = {
        workdir / "config.json": config.model_dump_json(indent=1),
        workdir / "data.sha256": corpus.fingerprint(),
        workdir / "extra.sha256": extra.fingerprint(),
    }
    for path, content in inputs.items():
        if path.exists() and path.read_text(encoding="utf-8") != content:
            raise TrainingError(
                f"{workdir} contains a run with other data, other extra texts or another "
                "configuration; choose another --workdir or remove the directory."
            )
        path.write_text(content, encoding="utf-8")


def write_json(path: Path, content: object) -> None:
    """Write indented JSON."""
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False), encoding="utf-8")


def write_probe(corpus: Corpus, workdir: Path) -> None:
    """Write the texts with which an export is verified: of all lengths, and one far longer."""
    longest = " ".join(corpus.texts[:200]).split()[:5000]
    probe = [*corpus.texts, corpus.texts[0].split()[0], " ".join(longest)]
    (workdir / "probe.json").write_text(json.dumps(probe), encoding="utf-8")


def publish_in_subprocess(workdir: Path, model_root: Path) -> int:
    """Export and publish in a process without GPU, whose operations could get into the graph.

    Returns: its exit code; it prints what failed.
    """
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "training.export.saved_model",
            str(workdir),
            "--model-root",
            str(model_root),
        ],
        check=False,
        env=os.environ | {"CUDA_VISIBLE_DEVICES": "-1"},
    ).returncode
