"""Blocks that a test module runs by itself, since they need more than the page's reader has."""

from __future__ import annotations

from pathlib import Path

from tests.docs.pages import Block, read_page
from tests.stack import ROOT


class Taken:
    """The blocks of a page whose marks name the module, to be taken from there one by one.

    A module that leaves one behind does not do what the page says, and has a test that notices.
    """

    def __init__(self, page: str, module: str) -> None:
        name = Path(module).relative_to(ROOT).as_posix()
        self.left = [block for block in read_page(ROOT / page).blocks if block.run_by == name]

    def take(self, words: str) -> Block:
        """The only block that has these words, and was not taken yet."""
        (found,) = [block for block in self.left if words in block.text]
        self.left.remove(found)
        return found
