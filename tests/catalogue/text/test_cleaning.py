"""The cleaning rules and the imports of the cleaning module."""

import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue.text.cleaning import CLEANING_FINGERPRINT, MAX_TITLE_CHARACTERS, clean, clean_book
from catalogue.text.stop_words import STOP_WORDS


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("A Wizard of EARTHSEA", "wizard earthsea"),
        ("Fish &amp; chips &eacute;lan &#8220;quoted&#8221;", "fish chips elan quoted"),
        ("R&amp;amp;D &amp;lt;br&amp;gt; caf&amp;eacute;", "cafe"),
        ("<p class='x'>one <b>dragon</b><br/>slept<!-- note --></p>", "dragon slept"),
        ("magic when 3 < 4 and 5 > 2 <- here", "magic"),
        (f"dragon &#{'1' * 5000}; egg &#{'0' * 5000}65;lan &#99999999;x", "dragon egg alan"),
        ("Les Misérables, naïve, Ångström, cafe\u0301", "les miserables naive angstrom cafe"),
        ("Łódź, Ærø, Straße, ﬁnd, œuvre", "lodz aero strasse oeuvre"),
        ("the king's men, the king\u2019s ship", "king men king ship"),
        ("we don't, couldn't, can\u2019t, won't, isn't, we'll, they've, I'm", ""),
        ("Harry Potter\u2122 wand\u00ae", "harry potter wand"),
        ("soft\u00adhyphen zero\u200bwidth", "softhyphen zerowidth"),
        ("1984, 2001: 3rd e-mail no.5", "rd mail"),
        ("x-ray I a the and", "ray"),
        ("Толстой 三体 村上春樹", ""),
        ("", ""),
        (" \r\n\t ", ""),
        ("lone \udce9 surrogate \x00 nul", "lone surrogate nul"),
    ],
)
def test_text_becomes_plain_tokens(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@pytest.mark.parametrize("tail", [" (less)", "(less)", " ...more", "...more", "…more", " … more\n"])
def test_goodreads_endings_are_dropped(tail: str) -> None:
    assert clean("The dragon never slept." + tail) == "dragon slept"


@given(st.text())
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    once = clean(text)
    assert clean(once) == once


@given(st.lists(st.sampled_from(["&amp;", "&lt;", "b", ">", "'", "n't", "é", "…more", "dragon "])))
def test_cleaned_text_is_words_of_two_letters_or_more(parts: list[str]) -> None:
    assert re.fullmatch(r"([a-z]{2,}( [a-z]{2,})*)?", clean("".join(parts)))


def test_accents_are_removed_across_the_internal_cut() -> None:
    assert clean("é" * 2_500) == "e" * 2_500
    assert clean("e\u0301" * 2_500) == "e" * 2_500


def test_stop_words_are_those_of_gensim() -> None:
    preprocessing = pytest.importorskip("gensim.parsing.preprocessing")
    assert preprocessing.STOPWORDS == STOP_WORDS


def test_the_fingerprint_is_pinned() -> None:
    assert CLEANING_FINGERPRINT == (
        "852f6d94219e8fa5fbb36f4ddff7db8eea6963d0f8f64012cdad27397af5a470"
    )


def run_python(code: str) -> str:
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return result.stdout.strip()


def test_the_cleaning_module_imports_no_heavy_package() -> None:
    heavy = {"nltk", "numpy", "scipy", "sklearn", "pandas", "tensorflow", "gensim"}
    loaded = run_python(
        "import sys, catalogue.text.cleaning; print(*{name.split('.')[0] for name in sys.modules})"
    )
    assert not heavy & set(loaded.split())


def test_parsing_a_catalogue_does_not_import_the_cleaning_module() -> None:
    loaded = run_python("import sys, catalogue.parsing.chunking; print(*sys.modules)")
    assert "catalogue.text.cleaning" not in loaded.split()


def test_splitting_at_spaces_equals_nltks_space_tokenizer() -> None:
    tokenizer = pytest.importorskip("nltk.tokenize.simple").SpaceTokenizer()
    for text in ("", " ", "dragon", " dragon  sea ", "a   b c  "):
        assert text.split(" ") == tokenizer.tokenize(text)


def test_a_book_is_cleaned_to_title_tokens_followed_by_summary_tokens() -> None:
    assert clean_book("The Hound’s Café", "A detective!") == "hound cafe detective"
    assert clean_book("", "A detective!") == clean("A detective!")
    assert clean_book("1984", "A detective!") == "detective"


def test_a_book_without_summary_tokens_is_cleaned_to_nothing() -> None:
    assert clean_book("The Hound", "...") == ""


def test_a_long_title_is_cut() -> None:
    assert clean_book("dragon " * 10_000, "sea").count("dragon") == (MAX_TITLE_CHARACTERS + 1) // 7
