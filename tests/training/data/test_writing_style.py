import random

from training.config import WritingStylesConfig
from training.data.writing_style import detect_writing_styles

CONFIG = WritingStylesConfig(plot=("crime",), blurb=("travel",))
PLOTS = ["He had been found", "who had then gone after her", "which was up to two of them while"]
BLURBS = ["What if you could?", "Here is all you never knew — and more!", "Can our world last?"]


def _texts(phrases: list[str], count: int, seed: int) -> list[str]:
    random_ = random.Random(seed)
    return [" ".join(random_.choices([*phrases, "dragon", "sea"], k=12)) for _ in range(count)]


def test_the_style_of_other_labels_is_predicted_from_function_words() -> None:
    texts = [
        *(_texts(PLOTS, 30, 1) + _texts(BLURBS, 30, 2)),
        *(_texts(PLOTS, 10, 3) + _texts(BLURBS, 10, 4)),
    ]
    labels = ["crime"] * 30 + ["travel"] * 30 + ["fantasy"] * 20
    styles = detect_writing_styles(texts, labels, CONFIG)
    assert styles is not None
    assert styles.accuracy > 0.9
    assert styles.is_plot.tolist() == [True] * 30 + [False] * 30 + [True] * 10 + [False] * 10
    assert styles.groups["blurb"].sum() == 40


def test_content_words_do_not_reveal_a_style() -> None:
    texts = ["dragon castle sword"] * 30 + ["beach visa suitcase"] * 30
    styles = detect_writing_styles(texts, ["crime"] * 30 + ["travel"] * 30, CONFIG)
    assert styles is not None
    assert styles.accuracy <= 0.5


def test_without_rows_of_both_styles_there_is_no_result() -> None:
    assert detect_writing_styles(["He was"] * 100, ["crime"] * 100, CONFIG) is None
