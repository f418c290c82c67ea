import json
from pathlib import Path

import pytest

from tests.training.conftest import make_rows, write_csv
from training.compare import main

CONFIG = {
    "split": {"folds": 2},
    "text": {"max_tokens": 20, "min_count": 1},
    "embedding": {"dimensions": 4, "epochs": 1},
    "model": {"units": 3, "hidden": 0},
    "training": {"epochs": 1},
}


def test_models_and_baselines_meet_on_the_same_folds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_csv(tmp_path / "books.csv", make_rows(60))
    config = tmp_path / "config.json"
    config.write_text(json.dumps(CONFIG), encoding="utf-8")
    workdir = tmp_path / "compare"
    arguments = ["--data", str(data), "--config", str(config), "--workdir", str(workdir)]
    assert main([*arguments, "--architectures", "gru"]) == 0
    rows = json.loads((workdir / "comparison.json").read_text(encoding="utf-8"))
    names = {row["model"] for row in rows}
    assert names >= {"gru", "gru+experts", "tfidf_svm", "tfidf_logistic", "words", "kernel"}
    assert all(len(row["macro_f1_per_fold"]) == 2 for row in rows)
    measured = next(row for row in rows if row["model"] == "gru+experts")
    assert measured["rows_per_second"] > 0
    assert measured["bytes"] > 0
    assert "| gru+experts |" in capsys.readouterr().out


def test_an_unknown_architecture_is_refused_before_anything_is_trained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_csv(tmp_path / "books.csv", make_rows(60))
    workdir = tmp_path / "compare"
    arguments = ["--data", str(data), "--workdir", str(workdir), "--architectures", "lstn"]
    assert main(arguments) == 2
    assert "'lstn', which is unknown" in capsys.readouterr().err
    assert not workdir.exists()
