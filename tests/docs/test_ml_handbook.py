"""The commands of the handbook for machine learning work, from the first training to the roll-back.

They run in a folder with few books and a small configuration, with a stack that serves the models
of this folder.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.block_runner import BlockRunner
from tests.docs.claimed_blocks import ClaimedBlocks
from tests.quick_training import QUICK, books
from tests.stack import ROOT, Stack, running_stack
from tests.waiting import eventually
from training.neural.architectures import ARCHITECTURES

pytestmark = pytest.mark.timeout(1800)

HANDBOOK = ClaimedBlocks("docs/ml_handbook.md", __file__)
TRAIN = HANDBOOK.claim("make train DATA=my_books.csv\n")
SECOND_RUN = HANDBOOK.claim("CONFIG=")
COMPARE = HANDBOOK.claim("make quality")
PUBLISH = HANDBOOK.claim("PUBLISH")
ROLL_BACK = HANDBOOK.claim("rm -r")
MODEL_CARD = HANDBOOK.claim("training.model_card")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of models that holds the shipped one."""
    return Path(shutil.copytree(ROOT / "serving/models", tmp_path_factory.mktemp("own") / "models"))


@pytest.fixture(scope="module")
def stack(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("stack")
    with running_stack(folder, SPINELABEL_MODEL_ROOT=str(models)) as running:
        yield running


@pytest.fixture(scope="module")
def runner(models: Path, stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> BlockRunner:
    block_runner = BlockRunner(
        tmp_path_factory.mktemp("runner"), str(stack.http.base_url), block_seconds=1200
    )
    # Matplotlib's font cache is in the home folder; building it takes long.
    block_runner.environment["HOME"] = os.environ["HOME"]
    (block_runner.copy_linked("training") / "config.json").write_text(json.dumps(QUICK), "utf-8")
    serving = block_runner.copy_linked("serving")
    shutil.rmtree(serving / "models")
    (serving / "models").symlink_to(models)
    (block_runner.folder / "my_books.csv").write_text(books(0, 20), "utf-8")
    (block_runner.folder / "more_texts.csv").write_text(books(20, 30), "utf-8")
    return block_runner


def version(stack: Stack) -> int | None:
    """The served version; None while no worker has reported lately, as on a machine that trains."""
    served: int | None = stack.http.get("/v1/model").json().get("version")
    return served


def wait_version(stack: Stack, expected: int) -> None:
    eventually(lambda: version(stack) == expected, what=lambda: f"it is {version(stack)}")


def test_every_block_that_names_this_file_is_run() -> None:
    assert HANDBOOK.unclaimed == []


def test_a_model_is_trained_published_described_and_rolled_back(
    runner: BlockRunner, stack: Stack
) -> None:
    shipped = eventually(lambda: version(stack))
    assert shipped is not None
    runner.run(TRAIN)
    assert (runner.folder / "runs/my_books/evaluation.html").is_file()
    runner.run(PUBLISH)
    wait_version(stack, shipped + 1)
    runner.run(MODEL_CARD)
    assert f"version {shipped + 1}" in (runner.folder / "my_card.md").read_text("utf-8")
    (example,) = re.findall(r"genre/\d+", ROLL_BACK.text)
    runner.replacements[example] = f"genre/{shipped + 1}"
    runner.run(ROLL_BACK)
    wait_version(stack, shipped)


def test_a_second_run_has_more_texts_and_its_own_folder(runner: BlockRunner) -> None:
    runner.run(SECOND_RUN)
    evaluation = json.loads((runner.folder / "runs/second_try/evaluation.json").read_text("utf-8"))
    assert evaluation["extra_texts"] == 30


def test_architectures_and_baselines_are_compared_on_the_same_folds(runner: BlockRunner) -> None:
    runner.run(COMPARE)
    workdir = runner.folder / "runs" / "compare-my_books"
    rows = {
        row["model"]: row for row in json.loads((workdir / "comparison.json").read_text("utf-8"))
    }
    assert rows.keys() >= {
        *ARCHITECTURES,
        "tfidf_svm",
        "tfidf_logistic",
        "word_svm",
        "kernel_ridge",
    }
    assert all(len(row["macro_f1_per_fold"]) == 2 for row in rows.values())
    table = (workdir / "comparison.md").read_text("utf-8")
    for name in ARCHITECTURES:
        ensemble = f"{name}+linear_models"
        assert f"| {ensemble} |" in table
        assert rows[ensemble]["rows_per_second"] > 0
        assert rows[ensemble]["bytes"] > 0
