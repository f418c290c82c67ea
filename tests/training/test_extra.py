import numpy as np

from tests.training.conftest import make_rows
from training.config import ExtraConfig
from training.data import ExtraTexts, Labelled
from training.extra import trusted_rows

NAMES = ("crime", "fantasy", "travel")
ROWS = make_rows(90)
LEARN = Labelled(
    texts=tuple(row["summary"] for row in ROWS[:60]),
    labels=np.array([NAMES.index(row["genre"]) for row in ROWS[:60]]),
)


def _extra(labels: list[str]) -> ExtraTexts:
    return ExtraTexts(texts=tuple(row["summary"] for row in ROWS[60:]), labels=tuple(labels))


def test_rows_whose_text_speaks_for_their_label_are_trusted() -> None:
    extra = _extra([row["genre"] for row in ROWS[60:]])
    assert len(trusted_rows(extra, LEARN, NAMES, ExtraConfig(), seed=7)) > 20


def test_rows_whose_text_speaks_against_their_label_are_not() -> None:
    wrong = [NAMES[(NAMES.index(row["genre"]) + 1) % 3] for row in ROWS[60:]]
    assert len(trusted_rows(_extra(wrong), LEARN, NAMES, ExtraConfig(), seed=7)) < 5


def test_no_label_gets_more_rows_than_the_cap() -> None:
    extra = _extra([row["genre"] for row in ROWS[60:]])
    chosen = trusted_rows(extra, LEARN, NAMES, ExtraConfig(per_class=3), seed=7)
    assert len(chosen) == 9
    assert [extra.labels[row] for row in chosen] == ["crime"] * 3 + ["fantasy"] * 3 + ["travel"] * 3


def test_unknown_and_missing_labels_are_never_trusted() -> None:
    assert trusted_rows(_extra(["poetry"] * 30), LEARN, NAMES, ExtraConfig(), seed=7) == []
    assert trusted_rows(_extra([""] * 30), LEARN, NAMES, ExtraConfig(), seed=7) == []
