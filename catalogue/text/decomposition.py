"""Unicode decomposition in linear time."""

import unicodedata

# Normalising a run of combining marks takes quadratic time. The letters do not depend on the cut.
_PIECE = 1_000


def decomposed(text: str) -> str:
    """Return `text` in NFKD; combining marks are sorted only within pieces of 1,000 characters."""
    pieces = (text[i : i + _PIECE] for i in range(0, len(text), _PIECE))
    return "".join([unicodedata.normalize("NFKD", piece) for piece in pieces])
