"""The handbook for machine learning, followed from the first training to the model that is taken back.

The page's own commands, in a folder whose books and configuration are small, beside a stack that serves
the models of this folder.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.running import Reader
from tests.docs.taken import Taken
from tests.quick_training import QUICK, books
from tests.stack import ROOT, Stack, running_stack
from tests.waiting import eventually
from training.neural import ARCHITECTURES

pytestmark = pytest.mark.timeout(1800)

HANDBOOK = Taken("docs/ml_handbook.md", __file__)
TRAIN = HANDBOOK.take("make train DATA=my_books.csv\n")
SECOND_TRY = HANDBOOK.take("--config")
COMPARE = HANDBOOK.take("make quality")
PUBLISH = HANDBOOK.take("PUBLISH")
TAKE_BACK = HANDBOOK.take("rm -r")
MODEL_CARD = HANDBOOK.take("training.model_card")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of models, with the shipped one."""
    return Path(shutil.copytree(ROOT / "serving/models", tmp_path_factory.mktemp("own") / "models"))


@pytest.fixture(scope="module")
def stack(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("stack")
    with running_stack(folder, SPINELABEL_MODEL_ROOT=str(models)) as running:
        yield running


@pytest.fixture(scope="module")
def reader(models: Path, stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Reader:
    made = Reader(tmp_path_factory.mktemp("reader"), str(stack.http.base_url), block_seconds=400)
    # Drawing begins with a list of the fonts, which is there already.
    made.environment["HOME"] = os.environ["HOME"]
    (made.own("training") / "config.json").write_text(json.dumps(QUICK), "utf-8")
    serving = made.own("serving")
    shutil.rmtree(serving / "models")
    (serving / "models").symlink_to(models)
    (made.folder / "my_books.csv").write_text(books(0, 20), "utf-8")
    (made.folder / "more_texts.csv").write_text(books(20, 30), "utf-8")
    return made


def version(stack: Stack) -> int | None:
    """None while no worker has reported lately, as on a machine that trains."""
    found: int | None = stack.http.get("/v1/model").json().get("version")
    return found


def wait_version(stack: Stack, expected: int) -> None:
    eventually(lambda: version(stack) == expected, what=lambda: f"it is {version(stack)}")


def test_no_block_that_names_this_file_is_left_out() -> None:
    assert HANDBOOK.left == []


def test_a_model_is_trained_published_described_and_taken_back(
    reader: Reader, stack: Stack
) -> None:
    shipped = eventually(lambda: version(stack))
    assert shipped is not None
    reader.run(TRAIN)
    assert (reader.folder / "runs/my_books/evaluation.html").is_file()
    reader.run(PUBLISH)
    wait_version(stack, shipped + 1)
    reader.run(MODEL_CARD)
    assert f"version {shipped + 1}" in (reader.folder / "my_card.md").read_text("utf-8")
    (shown,) = re.findall(r"genre/\d+", TAKE_BACK.text)
    reader.actual[shown] = f"genre/{shipped + 1}"
    reader.run(TAKE_BACK)
    wait_version(stack, shipped)


def test_a_second_try_has_more_texts_and_a_folder_of_its_own(reader: Reader) -> None:
    reader.run(SECOND_TRY)
    evaluation = json.loads((reader.folder / "runs/second_try/evaluation.json").read_text("utf-8"))
    assert evaluation["extra_texts"] == 30


def test_every_architecture_meets_the_baselines_on_the_same_folds(reader: Reader) -> None:
    reader.run(COMPARE)
    workdir = reader.folder / "runs" / "compare-my_books"
    rows = {
        row["model"]: row for row in json.loads((workdir / "comparison.json").read_text("utf-8"))
    }
    assert rows.keys() >= {*ARCHITECTURES, "tfidf_svm", "tfidf_logistic", "words", "kernel"}
    assert all(len(row["macro_f1_per_fold"]) == 2 for row in rows.values())
    table = (workdir / "comparison.md").read_text("utf-8")
    for name in ARCHITECTURES:
        shipped_so = f"{name}+experts"
        assert f"| {shipped_so} |" in table
        assert rows[shipped_so]["rows_per_second"] > 0
        assert rows[shipped_so]["bytes"] > 0
