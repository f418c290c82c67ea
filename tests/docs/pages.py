"""Parses pages as GitHub does: code blocks with their language, links, and inline code."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.stack import ROOT

# Written by the trainer, and checked by its own tests.
GENERATED = {"docs/model_card.md"}
# A comment before a block: why it is not run, which file runs it, or that it runs until stopped.
_MARK = re.compile(
    r"<!-- (?:not run: (?P<not_run>.+?)|run by (?P<run_by>\S+)|(?P<lasting>runs until stopped)) -->",
    re.DOTALL,
)
_PARSER = MarkdownIt("commonmark").enable("table")


@dataclass(frozen=True)
class Block:
    """One block of code."""

    page: str
    line: int
    language: str
    text: str
    not_run: str | None = None  # the reason why no test runs it
    run_by: str | None = None  # a test module, a script or another page, relative to the repository
    lasting: bool = False  # it runs until it is stopped

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def in_order(self) -> bool:
        """Whether it is run after the block before it."""
        return self.not_run is None and self.run_by is None and not self.lasting


@dataclass(frozen=True)
class Page:
    """One parsed page."""

    name: str  # relative to the repository
    blocks: tuple[Block, ...]
    links: tuple[str, ...]
    names: tuple[str, ...]  # inline code
    anchors: frozenset[str]

    def __str__(self) -> str:
        return self.name


@cache
def pages() -> tuple[Page, ...]:
    """All pages of documentation, in a fixed order."""
    paths = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return tuple(read_page(path) for path in paths)


def read_page(path: Path) -> Page:
    """Parse one page."""
    name = path.relative_to(ROOT).as_posix()
    tokens = _PARSER.parse(path.read_text("utf-8"))
    blocks, links, names, anchors = [], [], [], set()
    for position, token in enumerate(tokens):
        before = tokens[position - 1] if position else None
        if token.type == "fence":
            blocks.append(_block(name, token, before))
        if token.type == "inline":
            for child in token.children or []:
                target = child.attrs.get("href", child.attrs.get("src"))
                if target is not None:
                    links.append(str(target))
                if child.type == "code_inline":
                    names.append(child.content)
            if before is not None and before.type == "heading_open":
                anchors.add(_anchor(token.content))
    return Page(name, tuple(blocks), tuple(links), tuple(names), frozenset(anchors))


def _block(page: str, token: Token, before: Token | None) -> Block:
    comment = before.content if before is not None and before.type == "html_block" else ""
    mark = _MARK.fullmatch(comment.strip())
    line = (token.map or [0])[0] + 1
    block = Block(page, line, token.info.strip(), token.content)
    if mark is None:
        return block
    return replace(
        block, not_run=mark["not_run"], run_by=mark["run_by"], lasting=bool(mark["lasting"])
    )


def _anchor(heading: str) -> str:
    """Return the anchor that GitHub gives a heading."""
    text = re.sub(r"[^\w\- ]", "", heading.lower())
    return text.replace(" ", "-")
