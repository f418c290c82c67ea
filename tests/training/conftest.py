"""A small generated catalogue, and a model that is trained on it once per session."""

import csv
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from training.train import main

WORDS = {
    "crime": [
        "detective",
        "murder",
        "police",
        "knife",
        "alibi",
        "suspect",
        "inspector",
        "clue",
        "prison",
        "lawyer",
    ],
    "fantasy": [
        "dragon",
        "wizard",
        "sword",
        "castle",
        "spell",
        "elf",
        "kingdom",
        "prophecy",
        "throne",
        "magic",
    ],
    "travel": [
        "train",
        "harbour",
        "border",
        "hotel",
        "map",
        "desert",
        "island",
        "road",
        "visa",
        "suitcase",
    ],
}
COMMON = ["old", "young", "night", "city", "river", "story", "winter", "friend", "letter", "house"]


def make_rows(count: int, words: Mapping[str, Sequence[str]] = WORDS) -> list[dict[str, str]]:
    """Rows with words that determine their genre, of very different lengths."""
    random_ = random.Random(7)
    names = sorted(words)
    rows = []
    for index in range(count):
        genre = names[index % len(names)]
        length = random_.choice([5, 12, 40, 120])
        chosen = [random_.choice([*words[genre], *COMMON]) for _ in range(length)]
        rows.append({"title": f"Book {index}", "genre": genre, "summary": " ".join(chosen)})
    return rows


def write_csv(path: Path, rows: Sequence[dict[str, str]]) -> Path:
    """The rows as a CSV with a header."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


@dataclass(frozen=True)
class SmallRun:
    """A finished run and the folder of its published model."""

    data: Path
    workdir: Path
    model_root: Path
    arguments: tuple[str, ...]


@pytest.fixture(scope="session")
def small_run(tmp_path_factory: pytest.TempPathFactory) -> SmallRun:
    """Train, export and publish with 60 rows, two folds and two epochs."""
    folder = tmp_path_factory.mktemp("training")
    data = write_csv(folder / "books.csv", make_rows(60))
    extra = write_csv(folder / "extra.csv", make_rows(90)[60:])
    config = folder / "config.json"
    config.write_text(
        json.dumps(
            {
                "split": {"folds": 2},
                "text": {"max_tokens": 60, "min_count": 1},
                "embedding": {"dimensions": 8, "epochs": 40, "subsample": 0.0},
                "model": {"architecture": "gru", "units": 6, "hidden": 6},
                "pretraining": {"epochs": 1},
                "training": {"epochs": 2, "learning_rate": 0.01, "batch_rows": 8},
            }
        ),
        encoding="utf-8",
    )
    arguments = (
        *("--data", str(data), "--extra", str(extra), "--config", str(config)),
        *("--workdir", str(folder / "run"), "--publish", str(folder / "models")),
    )
    assert main(list(arguments)) == 0
    return SmallRun(
        data=data, workdir=folder / "run", model_root=folder / "models", arguments=arguments
    )
