"""Unicode normalisation in linear time."""

import unicodedata
from typing import Literal

# Normalising a run of combining marks takes quadratic time. The letters do not depend on the cut.
_PIECE = 1_000


def decomposed(text: str) -> str:
    """Return `text` in NFKD; combining marks are sorted only within pieces of 1,000 characters."""
    return _normalised("NFKD", text)


def composed(text: str) -> str:
    """Return `text` in NFC; a letter and its mark stay apart where a piece ends between them."""
    return _normalised("NFC", text)


def _normalised(form: Literal["NFC", "NFKD"], text: str) -> str:
    pieces = (text[i : i + _PIECE] for i in range(0, len(text), _PIECE))
    return "".join([unicodedata.normalize(form, piece) for piece in pieces])
