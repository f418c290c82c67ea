"""Tells whether a text is in a language other than English, and in which one.

The model reads English only. Of a text in another language it would see a few words and guess, so
such texts are not labelled.

Most texts are settled by `_is_plainly_english`, which counts words that are frequent in English and
hardly occur elsewhere. The others are compared with the function words and letters of
36 languages, or, if most of their letters are not Latin, belong to a language of their script. A
text in several languages is in the one with the most evidence. Without enough evidence, as in
titles, names and lists of keywords, a text counts as English.

The result depends on nothing but the text. Time is linear in its length.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from catalogue.text.cleaning import strip_markup
from catalogue.text.decomposition import composed
from catalogue.text.function_words import (
    ENGLISH_LOOKALIKES,
    ENGLISH_WORDS,
    FUNCTION_WORDS,
    LETTERS,
    PARTICLES,
)
from catalogue.text.scripts import LATIN, count_letters, language_of_script, script_of

_PLAIN = """
    the of and with his that from this who they when she has their which while into where what your
    will must these about there how her to for by is it you but an as are be one
"""
# Bound methods are called from C: these are looked up for every word.
_is_plain = frozenset([*_PLAIN.split(), *_PLAIN.title().split()]).__contains__
_is_english = frozenset(ENGLISH_WORDS.split()).__contains__
_PLAIN_SHARE = 0.16

_WORD = re.compile(r"[^\W\d_]+")
_DOT_ABOVE = "\u0307"  # of the Turkish capital I, in lower case

# Scripts
_MIN_LETTERS = 6

# Latin script. Evidence is counted in half points.
_LANGUAGES = tuple(FUNCTION_WORDS)
_FULL, _HALF, _NONE = 2, 1, 0
_MIN_WORDS = 4
_MIN_POINTS = 4
_MIN_SHARE = 0.2
_MIN_OTHERS = 3  # other words in lower case, where no function word has the full weight
# Less is enough where English words are missing.
_FOREIGN_MIN_WORDS = 8
_FOREIGN_ENGLISH_SHARE = 0.05
_FOREIGN_MIN_POINTS = 3
_FOREIGN_MIN_SHARE = 0.12


def _index_function_words() -> dict[str, tuple[int, tuple[int, ...]]]:
    """Map each function word to its half points and the positions of its languages."""
    none = {*ENGLISH_WORDS.split(), *ENGLISH_LOOKALIKES.split()}
    half = set(PARTICLES.split())
    languages: dict[str, list[int]] = {}
    for index, words in enumerate(FUNCTION_WORDS.values()):
        for word in words.split():
            languages.setdefault(word, []).append(index)
    return {
        word: (_NONE if word in none else _HALF if word in half else _FULL, tuple(indices))
        for word, indices in languages.items()
    }


_FUNCTION_WORDS = _index_function_words()
_UNLISTED: tuple[int, tuple[int, ...]] = (_NONE, ())
_LANGUAGES_WITH = {
    letter: {i for i, name in enumerate(_LANGUAGES) if letter in LETTERS.get(name, "")}
    for letter in set("".join(LETTERS.values()))
}
_NO_LANGUAGE: set[int] = set()


def foreign_language(text: str) -> str | None:
    """Return the ISO 639-1 code of the language of `text`; None if it is English or undecided.

    Any string is accepted; HTML is ignored.
    """
    if _is_plainly_english(text):
        return None
    text = strip_markup(text)
    if text.isascii():
        return _latin_language(_WORD.findall(text))
    words = _WORD.findall(composed(text))
    latin: list[str] = []
    letters: Counter[str] = Counter()
    for word in words:
        script = script_of(word[0])
        if script == LATIN:
            latin.append(word)
        elif script is not None:
            letters[script] += count_letters(word, script)
    if letters.total() >= max(_MIN_LETTERS, sum(map(len, latin)) + 1):
        return language_of_script(letters, words)
    return _latin_language(latin)


def _is_plainly_english(text: str) -> bool:
    # Beyond ASCII, UTF-8 takes more bytes than characters. English has a few such characters.
    if not text.isascii():
        extra_bytes = len(text.encode("utf-8", "surrogatepass")) - len(text)
        if extra_bytes * 8 > len(text):
            return False
    words = text.split()
    return sum(map(_is_plain, words)) >= max(_PLAIN_SHARE * len(words), 1)


@dataclass(slots=True)
class _Evidence:
    """How much speaks for one language."""

    halves: int = 0
    """Occurrences of its words: a function word counts two, a word with its letters one."""
    points: int = 0
    """Distinct words, in half points."""
    function_words: int = 0
    """Distinct function words of full weight."""


def _latin_language(written: Sequence[str]) -> str | None:
    """Return the language of these uncleaned words; None if it is English or undecided."""
    if len(written) < _MIN_WORDS:
        return None
    words = Counter([word.lower().replace(_DOT_ABOVE, "") for word in written])
    evidence = [_Evidence() for _ in _LANGUAGES]
    for word, times in words.items():
        worth, languages = _FUNCTION_WORDS.get(word, _UNLISTED)
        for i in languages:
            evidence[i].halves += 2 * times
            evidence[i].points += worth
            evidence[i].function_words += worth == _FULL
    # Names have the letters and the particles of a language too, but begin with capitals.
    others = {word for word in written if word.islower()}.difference(_FUNCTION_WORDS)
    for word in others:
        if not word.isascii():
            for i in _languages_with_letters_of(word):
                evidence[i].halves += words[word]
                evidence[i].points += _HALF
    best = max(range(len(_LANGUAGES)), key=lambda i: 4 * evidence[i].halves + evidence[i].points)
    english = sum(map(_is_english, words.elements()))
    if not (evidence[best].function_words or len(others) >= _MIN_OTHERS):
        return None
    return _LANGUAGES[best] if _is_enough(evidence[best], english, len(written)) else None


def _is_enough(evidence: _Evidence, english: int, words: int) -> bool:
    if evidence.halves <= 2 * english:
        return False
    share = evidence.halves / 2 / words
    if words >= _FOREIGN_MIN_WORDS and english <= _FOREIGN_ENGLISH_SHARE * words:
        return evidence.points >= _FOREIGN_MIN_POINTS and share >= _FOREIGN_MIN_SHARE
    return evidence.points >= _MIN_POINTS and share >= _MIN_SHARE


def _languages_with_letters_of(word: str) -> set[int]:
    sets = [_LANGUAGES_WITH.get(letter, _NO_LANGUAGE) for letter in word if letter > "\x7f"]
    return set.intersection(*sets)
