"""The alternatives. Each is measured in a process of its own, so that none affects another."""

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
_TIMEOUT_S = 900


def newest_model() -> Path:
    """The version folder that the local stack serves by default."""
    return max((p for p in MODELS.iterdir() if p.name.isdigit()), key=lambda p: int(p.name))


@dataclass(frozen=True)
class Competitor:
    """A module of `benchmarks.speed` that prints seconds as its last line."""

    module: str
    python: Path

    def seconds(self, catalogue: Path, column: str) -> float:
        """One measurement. Raises `SystemExit` with the end of its standard error."""
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                [str(self.python), "-m", f"benchmarks.speed.{self.module}", str(catalogue),
                 f"{folder}/out", "--model", str(newest_model()), "--column", column],
                capture_output=True, text=True, cwd=ROOT, timeout=_TIMEOUT_S, check=False,
                env=os.environ | {"CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "2"},
            )  # fmt: skip
        if done.returncode:
            raise SystemExit(f"{self.module} failed: {done.stderr[-3000:]}")
        return float(done.stdout.split()[-1])


def competitors(bench_python: Path | None) -> Mapping[str, Competitor]:
    """All by name; Ray Data and BentoML only with an interpreter that has them."""
    by_name = {name: Competitor(name, Path(sys.executable)) for name in ("script", "roofline")}
    if bench_python is not None:
        by_name["ray_data"] = Competitor("ray_data", bench_python)
        by_name["bentoml"] = Competitor("bento", bench_python)
    return by_name
