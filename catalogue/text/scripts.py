"""Scripts other than Latin, and the languages that are written in them.

Languages that share a script are told apart by letters that only one of them has.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping

LATIN = "Latin"

_ARABIC, _CYRILLIC, _HAN, _HANGUL, _KANA = "Arabic", "Cyrillic", "Han", "Hangul", "Kana"

# First and last code point. Scripts that are not listed are not counted.
_RANGES = (
    (0x0041, 0x02AF, LATIN), (0x0370, 0x03FF, "Greek"), (0x0400, 0x052F, _CYRILLIC),
    (0x0530, 0x058F, "Armenian"), (0x0590, 0x05FF, "Hebrew"), (0x0600, 0x077F, _ARABIC),
    (0x08A0, 0x08FF, _ARABIC), (0x0900, 0x097F, "Devanagari"), (0x0980, 0x09FF, "Bengali"),
    (0x0A00, 0x0A7F, "Gurmukhi"), (0x0A80, 0x0AFF, "Gujarati"), (0x0B00, 0x0B7F, "Odia"),
    (0x0B80, 0x0BFF, "Tamil"), (0x0C00, 0x0C7F, "Telugu"), (0x0C80, 0x0CFF, "Kannada"),
    (0x0D00, 0x0D7F, "Malayalam"), (0x0D80, 0x0DFF, "Sinhala"), (0x0E00, 0x0E7F, "Thai"),
    (0x0E80, 0x0EFF, "Lao"), (0x0F00, 0x0FFF, "Tibetan"), (0x1000, 0x109F, "Myanmar"),
    (0x10A0, 0x10FF, "Georgian"), (0x1100, 0x11FF, _HANGUL), (0x1200, 0x139F, "Ethiopic"),
    (0x1780, 0x17FF, "Khmer"), (0x1C80, 0x1C8F, _CYRILLIC), (0x1E00, 0x1EFF, LATIN),
    (0x1F00, 0x1FFF, "Greek"), (0x3040, 0x30FF, _KANA), (0x3130, 0x318F, _HANGUL),
    (0x3400, 0x4DBF, _HAN), (0x4E00, 0x9FFF, _HAN), (0xAC00, 0xD7AF, _HANGUL),
    (0xF900, 0xFAFF, _HAN), (0xFB00, 0xFB06, LATIN), (0xFB1D, 0xFB4F, "Hebrew"),
    (0xFB50, 0xFDFF, _ARABIC), (0xFE70, 0xFEFF, _ARABIC), (0xFF21, 0xFF5A, LATIN),
    (0xFF66, 0xFF9F, _KANA), (0x20000, 0x323AF, _HAN),
)  # fmt: skip
_STARTS = tuple(first for first, _, _ in _RANGES)

# A character of these is a syllable or a word.
_LETTERS_PER_CHARACTER = {_HAN: 3, _HANGUL: 3, _KANA: 3}

_LANGUAGES = {
    "Armenian": "hy", "Bengali": "bn", "Devanagari": "hi", "Ethiopic": "am", "Georgian": "ka",
    "Greek": "el", "Gujarati": "gu", "Gurmukhi": "pa", "Hebrew": "he", _HAN: "zh",
    _HANGUL: "ko", _KANA: "ja", "Kannada": "kn", "Khmer": "km", "Lao": "lo", "Malayalam": "ml",
    "Myanmar": "my", "Odia": "or", "Sinhala": "si", "Tamil": "ta", "Telugu": "te", "Thai": "th",
    "Tibetan": "bo",
}  # fmt: skip

# The language of the first row whose letters are frequent enough in the text.
_BY_LETTERS = {
    _ARABIC: (("ur", "ٹڈڑےں"), ("ku", "ۆێڵ"), ("fa", "پچژگیک")),
    _CYRILLIC: (("be", "ў"), ("kk", "әғқңұһ"), ("mn", "өү"), ("mk", "ѓќѕ"), ("sr", "јљњћђ"),
                ("uk", "іїєґ"), ("ru", "ыэё"), ("bg", "ъ")),
}  # fmt: skip
_OTHERWISE = {_ARABIC: "ar", _CYRILLIC: "ru"}
# Names and quotations bring in letters of other languages.
_FREQUENT = 0.002

# Japanese has a particle or an ending at every few ideographs.
_KANA_SHARE = 1 / 8


def script_of(character: str) -> str | None:
    """Return the script of a letter, None for a rare one."""
    point = ord(character)
    index = bisect_right(_STARTS, point) - 1
    return _RANGES[index][2] if index >= 0 and point <= _RANGES[index][1] else None


def count_letters(word: str, script: str) -> int:
    """Return the length of `word`; a syllable or an ideograph counts as three letters."""
    return len(word) * _LETTERS_PER_CHARACTER.get(script, 1)


def language_of_script(letters: Mapping[str, int], words: Iterable[str]) -> str:
    """Return the ISO 639-1 code of the language that most of `words` are in.

    Args:
        letters: the letters of each script in the text, not empty and without Latin ones.
        words: all words of the text, in lower case.
    """
    script = max(letters, key=lambda name: letters[name])
    if script == _HAN and letters.get(_KANA, 0) > _KANA_SHARE * letters[_HAN]:
        script = _KANA
    if script not in _BY_LETTERS:
        return _LANGUAGES[script]
    counts: Counter[str] = Counter()
    for word in words:
        counts.update(word)
    enough = _FREQUENT * letters[script]
    for language, characters in _BY_LETTERS[script]:
        if sum(counts[character] for character in characters) > enough:
            return language
    return _OTHERWISE[script]
