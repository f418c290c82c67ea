"""A training on 60 rows, with export and publication."""

import json
import shutil
from pathlib import Path

import pytest

from catalogue.text.cleaning import CLEANING_FINGERPRINT
from tests.training.conftest import SmallRun, make_rows, write_csv
from training.data.dataset import read_corpus
from training.export.saved_model import main as export
from training.export.verify import SessionModel, portable_operations
from training.model_card import write_card
from training.train import main


def test_a_run_writes_statistics_plots_and_a_report(small_run: SmallRun) -> None:
    for name in ("labels.png", "lengths.png", "confusion.png", "reliability.png"):
        assert (small_run.workdir / name).read_bytes().startswith(b"\x89PNG")
    page = (small_run.workdir / "evaluation.html").read_text(encoding="utf-8")
    assert "macro-F1" in page
    evaluation = json.loads((small_run.workdir / "evaluation.json").read_text(encoding="utf-8"))
    assert evaluation["rows"] == 60
    assert evaluation["folds"] == 2
    assert 0 <= evaluation["baseline"]["macro_f1"] <= 1


def test_json_reports_quote_no_row(small_run: SmallRun) -> None:
    for name in ("evaluation.json", "data.json", "description.json", "export.json"):
        assert "Book 1" not in (small_run.workdir / name).read_text(encoding="utf-8")


def test_the_published_model_describes_itself(small_run: SmallRun) -> None:
    with SessionModel(small_run.model_root / "1") as model:
        described = json.loads(model.describe())
    assert described["schema"] == 1
    assert described["labels"] == ["crime", "fantasy", "travel"]
    assert described["cleaning_fingerprint"] == CLEANING_FINGERPRINT
    assert described["max_tokens"] == 60
    assert described["reads_title"] is True
    assert described["training"]["data_fingerprint"] == read_corpus(small_run.data).fingerprint()
    assert set(described["calibration"]) == {"method", "temperature", "noise", "ece"}
    assert 0 <= described["conformal"]["quantile"] <= 1
    assert described["review_threshold"] > 0
    export = json.loads((small_run.workdir / "export.json").read_text(encoding="utf-8"))
    assert described["export_id"] == export["export_id"]


def test_a_session_returns_probabilities_for_any_cleaned_text(small_run: SmallRun) -> None:
    texts = ["dragon castle", "qqq zzz", "", " ".join(["detective"] * 5000)]
    with SessionModel(small_run.model_root / "1") as model:
        together = model.probabilities(texts)
        alone = [model.probabilities([text])[0] for text in texts]
    assert together.shape == (4, 3)
    assert together.sum(axis=1) == pytest.approx([1.0] * 4, abs=1e-5)
    for row, single in zip(together, alone, strict=True):
        assert row == pytest.approx(single, abs=1e-5)


def test_evidence_has_the_words_that_contributed_most(small_run: SmallRun) -> None:
    texts = ["friend letter dragon castle night wizard", "qqq zzz", ""]
    with SessionModel(small_run.model_root / "1") as model:
        first, unknown, empty = model.evidence(texts)
    words = [word for word, _ in first]
    assert set(words[:2]) < {"dragon", "castle", "wizard"}
    assert sum(weight for _, weight in first) == pytest.approx(1.0, abs=1e-3)
    assert [weight for _, weight in first] == sorted((w for _, w in first), reverse=True)
    assert unknown == empty == []


def test_the_export_was_compared_with_the_keras_model(small_run: SmallRun) -> None:
    report = json.loads((small_run.workdir / "export.json").read_text(encoding="utf-8"))
    assert report["largest_difference"] <= 1e-5
    assert "StringSplitV2" in portable_operations(small_run.model_root / "1")


def test_no_partial_files_are_left_next_to_the_version(small_run: SmallRun) -> None:
    assert {path.name for path in small_run.model_root.iterdir()} == {"1", ".next_version"}
    assert (small_run.model_root / "1" / "assets.extra" / "tf_serving_warmup_requests").is_file()


def test_number_and_export_id_of_a_removed_version_are_not_reused(
    small_run: SmallRun, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    models = tmp_path / "models"
    shutil.copytree(small_run.model_root, models)
    arguments = [*small_run.arguments[:-1], str(models)]
    assert main(arguments) == 0
    assert "The new version is" not in capfd.readouterr().out
    shutil.rmtree(models / "2")
    assert main(arguments) == 0
    assert "The new version is 3: numbers after 1 were used" in capfd.readouterr().out
    assert {path.name for path in models.iterdir()} == {"1", "3", ".next_version"}
    described = []
    for version in ("1", "3"):
        with SessionModel(models / version) as model:
            described.append(json.loads(model.describe()))
    first, again = described
    assert first.pop("export_id") != again.pop("export_id")
    assert first == again


def test_a_used_version_is_refused_with_a_reason(
    small_run: SmallRun, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [str(small_run.workdir), "--model-root", str(small_run.model_root)]
    assert export([*arguments, "--version", "1"]) == 2
    assert "leave --version out to publish as 2" in capsys.readouterr().err
    assert (small_run.model_root / "1").is_dir()


def test_a_finished_training_is_not_repeated(
    small_run: SmallRun, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = small_run.workdir / "final" / "model.weights.h5"
    before = weights.stat().st_mtime_ns
    assert main(list(small_run.arguments[:-2])) == 0
    assert "epoch" not in capsys.readouterr().out
    assert weights.stat().st_mtime_ns == before


def test_a_run_directory_of_other_data_is_refused(
    small_run: SmallRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = write_csv(tmp_path / "other.csv", make_rows(30))
    arguments = [*small_run.arguments[:-2]]
    arguments[1] = str(other)
    assert main(arguments) == 2
    assert "contains a run with other data" in capsys.readouterr().err


def test_a_run_directory_of_other_extra_texts_is_refused(
    small_run: SmallRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = write_csv(tmp_path / "other.csv", make_rows(30))
    arguments = [*small_run.arguments[:-2]]
    arguments[3] = str(other)
    assert main(arguments) == 2
    assert "other extra texts" in capsys.readouterr().err


def test_the_model_card_is_generated_from_the_run(small_run: SmallRun) -> None:
    card = write_card(small_run.workdir, "About the data.")
    evaluation = json.loads((small_run.workdir / "evaluation.json").read_text(encoding="utf-8"))
    assert f"**{evaluation['macro_f1']:.3f}**" in card
    assert "About the data." in card
    assert "Book 1" not in card


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data", "none.csv"], "there is no such file"),
        (["--data", "none.csv", "--config", "none.json"], "cannot be read"),
    ],
)
def test_an_invalid_argument_ends_with_a_message_and_code_2(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main([*arguments, "--workdir", str(tmp_path / "run")]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_an_unknown_architecture_is_refused_before_any_epoch(
    small_run: SmallRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "config.json"
    config.write_text('{"model": {"architecture": "lstn"}}', encoding="utf-8")
    arguments = ["--data", str(small_run.data), "--config", str(config)]
    assert main([*arguments, "--workdir", str(tmp_path / "run")]) == 2
    assert "'lstn', which is unknown" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_near_duplicates_alone_are_refused_with_a_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    alike = (
        "a dragon guards the gold of a lost kingdom until a young thief climbs the tower, steals "
        "the golden crown, "
        "and brings war to the valley where shepherds, bakers and sailors lived in peace"
    )
    rows = [
        {"title": "", "genre": genre, "summary": f"{alike} {ending}"}
        for genre, endings in (
            ("fantasy", "river forest mountain"),
            ("crime", "harbour desert island"),
        )
        for ending in endings.split()
    ]
    data = write_csv(tmp_path / "books.csv", rows)
    assert main(["--data", str(data), "--workdir", str(tmp_path / "run")]) == 2
    errors = capsys.readouterr().err
    assert "near-duplicates" in errors
    assert "Traceback" not in errors
