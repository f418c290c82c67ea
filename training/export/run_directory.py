"""The files by which a run folder is known, resumed and published."""

import json
import subprocess
import sys
from pathlib import Path

from training.config import TrainingConfig
from training.data.dataset import Corpus, ExtraTexts
from training.errors import TrainingError

FINAL = "final"
"""Folder of the sequence model fitted on all rows."""


PREPARED = "prepared"
"""Folder of what a fold's models share; ``all`` in it belongs to the final model."""


def claim(workdir: Path, corpus: Corpus, extra: ExtraTexts, config: TrainingConfig) -> None:
    """Mark the folder with what it is for, so that two trainings never mix.

    Raises:
        TrainingError: it belongs to other data, other texts or another configuration.
    """
    workdir.mkdir(parents=True, exist_ok=True)
    marks = {
        workdir / "config.json": config.model_dump_json(indent=1),
        workdir / "data.sha256": corpus.fingerprint(),
        workdir / "extra.sha256": extra.fingerprint(),
    }
    for path, content in marks.items():
        if path.exists() and path.read_text(encoding="utf-8") != content:
            raise TrainingError(
                f"{workdir} holds a run with other data, other extra texts or another configuration; "
                "choose another --workdir or remove the folder."
            )
        path.write_text(content, encoding="utf-8")


def write_json(path: Path, content: object) -> None:
    """Readable JSON."""
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False), encoding="utf-8")


def write_probe(corpus: Corpus, workdir: Path) -> None:
    """The texts that an export is checked with: all lengths, and one far longer than any."""
    longest = " ".join(corpus.texts[:200]).split()[:5000]
    probe = [*corpus.texts, corpus.texts[0].split()[0], " ".join(longest)]
    (workdir / "probe.json").write_text(json.dumps(probe), encoding="utf-8")


def publish(workdir: Path, model_root: Path) -> int:
    """Export in a process of its own, which has never seen a GPU; its exit code, after it has said what was wrong."""
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
    ).returncode
