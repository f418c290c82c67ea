"""NLTK's ``SpaceTokenizer`` without the rest of NLTK.

``import nltk.tokenize`` runs ``nltk/__init__.py``, which imports every part of NLTK and with it
NumPy, SciPy, scikit-learn and pandas where they are installed: over 150 MB and seconds for each
process. The tokenizer itself needs seven small modules (15 MB, 0.07 s). So the two packages on
the way to it are entered without running their ``__init__``, in a private copy: ``sys.modules``
is left as it was found, and an ``import nltk`` elsewhere in the process, earlier or later, gets
the whole of NLTK.
"""

import importlib
import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from types import ModuleType
from typing import Protocol, cast


class Tokenizer(Protocol):
    """The one method of an NLTK tokenizer that is used here."""

    def tokenize(self, text: str) -> list[str]:
        """Return the tokens of `text` in order."""


def load_space_tokenizer() -> Tokenizer:
    """Return ``nltk.tokenize.SpaceTokenizer()``, which splits at every single space.

    Its ``RegexpTokenizer`` takes several times as long for the same: where the text is letters and spaces alone, all that
    differs are empty tokens between adjacent spaces.

    Not safe against a thread that imports NLTK at the same moment: call it at import.

    Raises:
        ModuleNotFoundError: NLTK is not installed.
    """
    others = _take_nltk_out()
    try:
        _enter("nltk.tokenize", search=_enter("nltk", search=None))
        tokenizer = importlib.import_module("nltk.tokenize.simple").SpaceTokenizer
    finally:
        _take_nltk_out()
        sys.modules.update(others)
    return cast("Tokenizer", tokenizer())


def _take_nltk_out() -> dict[str, ModuleType]:
    names = [name for name in sys.modules if name == "nltk" or name.startswith("nltk.")]
    return {name: sys.modules.pop(name) for name in names}


def _enter(package: str, *, search: list[str] | None) -> list[str]:
    """Make `package` importable from, without running it; return its search path."""
    spec = PathFinder.find_spec(package, search)
    if spec is None:
        raise ModuleNotFoundError(f"No module named {package!r}", name=package)
    module = sys.modules[package] = module_from_spec(spec)
    return list(module.__path__)
