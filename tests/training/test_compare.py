"""Refused comparisons; tests/docs/test_ml_handbook.py compares all architectures."""

from pathlib import Path

import pytest

from tests.training.conftest import make_rows, write_csv
from training.compare import main


def test_an_unknown_architecture_is_refused_before_anything_is_trained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_csv(tmp_path / "books.csv", make_rows(60))
    workdir = tmp_path / "compare"
    arguments = ["--data", str(data), "--workdir", str(workdir), "--architectures", "lstn"]
    assert main(arguments) == 2
    assert "'lstn', which is unknown" in capsys.readouterr().err
    assert not workdir.exists()
