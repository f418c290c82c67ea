"""The command line as users start it: a process in a folder, with its exit code and output."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.stack import ROOT
from tests.waiting import WITHIN_S

RESULT = (
    b"title,summary,predicted_genre,confidence,second_genre,second_confidence,genre_set,"
    b"needs_review,row_error,row_error_detail\n"
    b"A,words,crime,0.9,horror,0.1,crime,false,,\n"
    b"B,words,horror,0.4,crime,0.3,horror|crime,true,,\n"
)


def start(*arguments: str | Path, folder: Path, **settings: str) -> subprocess.Popen[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("SPINELABEL_")}
    return subprocess.Popen(
        [sys.executable, "-m", "cli", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        env=environment | {"PYTHONPATH": str(ROOT)} | settings,
    )


def run(*arguments: str | Path, folder: Path, **settings: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    process = start(*arguments, folder=folder, **settings)
    out, err = process.communicate(timeout=WITHIN_S)  # `doctor` loads a model
    assert "Traceback" not in err
    return process.returncode, out, err
