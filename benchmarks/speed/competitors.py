"""What people would use instead: one process for each measurement, so that none is disturbed by another that idles."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
MODELS = ROOT / "serving" / "models" / "genre"
_LONGEST_S = 900


def newest_model() -> Path:
    """The version folder that the laptop stack serves by default."""
    return max((p for p in MODELS.iterdir() if p.name.isdigit()), key=lambda p: int(p.name))


@dataclass(frozen=True)
class Contender:
    """A module of `benchmarks.speed` that prints seconds as its last line."""

    module: str
    python: Path

    def seconds(self, catalogue: Path, column: str) -> float:
        """One measurement. Raises `SystemExit` with the end of what it said."""
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                [str(self.python), "-m", f"benchmarks.speed.{self.module}", str(catalogue),
                 f"{folder}/out", "--model", str(newest_model()), "--column", column],
                capture_output=True, text=True, cwd=ROOT, timeout=_LONGEST_S, check=False,
                env=os.environ | {"CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "2"},
            )  # fmt: skip
        if done.returncode:
            raise SystemExit(f"{self.module} failed: {done.stderr[-3000:]}")
        return float(done.stdout.split()[-1])


def contenders(bench_python: Path | None) -> Mapping[str, Contender]:
    """By name; Ray Data and BentoML only with the interpreter of an environment that has them."""
    found = {name: Contender(name, Path(sys.executable)) for name in ("script", "roofline")}
    if bench_python is not None:
        found["ray_data"] = Contender("ray_data", bench_python)
        found["bentoml"] = Contender("bento", bench_python)
    return found
