import random

from training.config import StylesConfig
from training.data.writing_style import detect_styles

CONFIG = StylesConfig(plot=("crime",), blurb=("travel",))
PLOTS = ["He had been found", "who had then gone after her", "which was up to two of them while"]
BLURBS = ["What if you could?", "Here is all you never knew — and more!", "Can our world last?"]


def _texts(phrases: list[str], count: int, seed: int) -> list[str]:
    chance = random.Random(seed)
    return [" ".join(chance.choices([*phrases, "dragon", "sea"], k=12)) for _ in range(count)]


def test_rows_of_an_open_label_are_told_by_their_function_words() -> None:
    texts = [
        *(_texts(PLOTS, 30, 1) + _texts(BLURBS, 30, 2)),
        *(_texts(PLOTS, 10, 3) + _texts(BLURBS, 10, 4)),
    ]
    labels = ["crime"] * 30 + ["travel"] * 30 + ["fantasy"] * 20
    styles = detect_styles(texts, labels, CONFIG)
    assert styles is not None
    assert styles.accuracy > 0.9
    assert styles.plot.tolist() == [True] * 30 + [False] * 30 + [True] * 10 + [False] * 10
    assert styles.groups["blurb"].sum() == 40


def test_content_words_do_not_tell_a_style() -> None:
    texts = ["dragon castle sword"] * 30 + ["beach visa suitcase"] * 30
    styles = detect_styles(texts, ["crime"] * 30 + ["travel"] * 30, CONFIG)
    assert styles is not None
    assert styles.accuracy <= 0.5


def test_without_rows_of_both_styles_nothing_is_told() -> None:
    assert detect_styles(["He was"] * 100, ["crime"] * 100, CONFIG) is None
