"""Blocks that a test module runs itself, because they need more than `BlockRunner` offers."""

from __future__ import annotations

from pathlib import Path

from tests.docs.pages import Block, read_page
from tests.stack import ROOT


class ClaimedBlocks:
    """The blocks of a page that are marked as run by one test module.

    The module claims each of them by its text, and tests that none is left unclaimed.
    """

    def __init__(self, page: str, module: str) -> None:
        name = Path(module).relative_to(ROOT).as_posix()
        self.unclaimed = [block for block in read_page(ROOT / page).blocks if block.run_by == name]

    def claim(self, words: str) -> Block:
        """Return the only unclaimed block that contains `words`.

        Raises `ValueError` if there is none, or more than one.
        """
        (block,) = [block for block in self.unclaimed if words in block.text]
        self.unclaimed.remove(block)
        return block
