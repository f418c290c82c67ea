"""Cleaning: turns titles and summaries into the tokens that the model knows.

Training, workers and `/v1/label` share this function. Its fingerprint is stored in every model, and
a model that was trained with other rules is refused.

The rules, in order:

1. HTML entities are decoded twice, because exports often escape twice. HTML tags become spaces.
2. Accents are removed (é -> e), ligatures and some letters are expanded (æ -> ae, ß -> ss, ø -> o),
   and everything is lower-cased.
3. ``n't`` is removed, so that "couldn't" becomes the stop word "could". "king's" becomes "king".
4. Every character other than a-z becomes a space, and the text is split at single spaces, as NLTK's
   ``SpaceTokenizer`` does.
5. Single letters, the remnants "ll" and "ve", and stop words are dropped.

The endings ``(less)`` and ``...more`` on Goodreads, which would reveal the source of a text, need
no
rule: both words are stop words. Text in a script other than Latin is cleaned to the empty string.
"""

import hashlib
import html
import re
import string
from itertools import filterfalse

from catalogue.text.decomposition import decomposed
from catalogue.text.stop_words import STOP_WORDS

_RULES = "spinelabel cleaning 1"

MAX_TITLE_CHARACTERS = 300
"""Longer titles are cut here, before cleaning."""

_TAG = re.compile(r"<(?:/?[A-Za-z]|!)[^<>]*>")
_DROPPED = STOP_WORDS | {"ll", "ve"} | set(string.ascii_lowercase)
# "" is the token between adjacent spaces. A bound method is called from C: this is the hot loop.
_is_dropped = frozenset(_DROPPED | {""}).__contains__

# Longest first: removing "n't" from "won't" would leave "wo".
_NEGATIONS = ("won't", "can't", "shan't", "ain't", "n't")

# Letters that Unicode does not decompose, and apostrophes.
_LETTERS = {
    "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i",
    "\u2018": "'", "\u2019": "'", "\u02bc": "'", "\u2032": "'",
}  # fmt: skip
_MARKS = "\u00ad\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u200b-\u200d\u2060\u20d0-\u20ff\ufeff"
_FOLDED = re.compile(f"[{''.join(_LETTERS)}{_MARKS}]")
_TRADE_MARKS = re.compile("[\u2120\u2122]")

# `html.unescape` parses character references with `int`, which rejects more than 4,300 digits.
_LEADING_ZEROS = re.compile("&#0+(?=[0-9])")
_BEYOND_UNICODE = re.compile("&#[0-9]{8,};?")

_ALPHABET = string.ascii_letters.encode()
_TO_LETTERS = bytes(ord(chr(b).lower()) if b in _ALPHABET else ord(" ") for b in range(256))


def clean(text: str) -> str:
    """Return the tokens of `text` joined by single spaces, "" if none is left.

    Any string is accepted, lone surrogates included. ``clean(clean(x)) == clean(x)``.
    """
    text = strip_markup(text)
    if not text.isascii():
        text = _fold(text)
    text = text.lower()
    if "'" in text:
        for negation in _NEGATIONS:
            text = text.replace(negation, " ")
    letters = text.encode("ascii", "replace").translate(_TO_LETTERS).decode("ascii")
    return " ".join(filterfalse(_is_dropped, letters.split(" ")))


def clean_book(title: str, summary: str) -> str:
    """Return the tokens of a book's title followed by those of its summary, as `clean` does.

    The result is "" if the summary has no tokens: a title alone is not enough to classify a book.
    Only the first `MAX_TITLE_CHARACTERS` characters of the title are used.
    """
    text = clean(summary)
    title_tokens = clean(title[:MAX_TITLE_CHARACTERS]) if text else ""
    return f"{title_tokens} {text}" if title_tokens else text


def strip_markup(text: str) -> str:
    """Return `text` with HTML entities decoded, twice, and tags replaced by spaces."""
    if "&" in text:
        text = _unescape(text)
        if "&" in text:
            text = _unescape(text)
    return _TAG.sub(" ", text) if "<" in text else text


def _unescape(text: str) -> str:
    if "&#" in text:
        text = _BEYOND_UNICODE.sub("\ufffd", _LEADING_ZEROS.sub("&#", text))
    return html.unescape(text)


def _fold(text: str) -> str:
    text = decomposed(_TRADE_MARKS.sub(" ", text))
    return _FOLDED.sub(lambda match: _LETTERS.get(match[0], ""), text.lower())


_PROBE = (
    "<p>The King&#39;s &amp;quot;Caf&eacute;&amp;quot; wasn\u2019t 1984\u2019s &lt;br/&gt;best "
    "...more",
    "\u00c6sir, na\u00efve \u0141\u00f3d\u017a STRASSE stra\u00dfe \ufb01nd\u2122 x 3 < 4 > 2",
    "We'll sail, won't we, at 7 o'clock: cafe\u0301 (less)",
    "\u0422\u043e\u043b\u0441\u0442\u043e\u0439 \u4e09\u4f53",
)


def _fingerprint() -> str:
    parts = [_RULES, " ".join(sorted(_DROPPED)), *(clean(text) for text in _PROBE)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


CLEANING_FINGERPRINT: str = _fingerprint()
"""Hex SHA-256 over the rules' version, the dropped words and the cleaned probe texts."""
