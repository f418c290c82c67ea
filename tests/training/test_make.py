"""The targets of the Makefile pass their variables to the trainer."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def _command(target: str, *variables: str) -> str:
    """The last command of a target, which is printed and not executed."""
    # `make test` hands its own flags and depth to what it starts.
    environment = {name: value for name, value in os.environ.items() if "MAKE" not in name}
    made = subprocess.run(
        ["make", "--dry-run", "--no-print-directory", target, *variables],
        cwd=ROOT,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return made.stdout.splitlines()[-1]


def test_make_train_passes_data_texts_configuration_and_folders() -> None:
    command = _command(
        "train", "DATA=a.csv", "EXTRA=b.csv", "CONFIG=c.json", "WORKDIR=runs/d", "PUBLISH=models"
    )
    for option in ("data", "extra", "config", "workdir", "publish"):
        assert f"--{option} " in command
    assert '--config "c.json"' in command
    assert '--workdir "runs/d"' in command


def test_make_train_uses_the_shipped_configuration_by_default() -> None:
    command = _command("train")
    assert '--config "training/config.json"' in command
    assert "--extra" not in command
    assert "--workdir" not in command


def test_make_quality_takes_a_configuration() -> None:
    assert '--config "c.json"' in _command("quality", "CONFIG=c.json")
