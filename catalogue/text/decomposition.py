"""Unicode decomposition in linear time."""

import unicodedata

# Sorting a run of combining marks takes quadratic time; pieces fold to the same letters.
_PIECE = 1_000


def decomposed(text: str) -> str:
    """Return `text` in NFKD, except that combining marks are put in order only within pieces of 1,000 characters."""
    pieces = (text[i : i + _PIECE] for i in range(0, len(text), _PIECE))
    return "".join([unicodedata.normalize("NFKD", piece) for piece in pieces])
