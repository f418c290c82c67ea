"""Every block of every page does what the page says: run in order, on one real stack."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.commands import commands_in, complaint
from tests.docs.pages import GENERATED, Page, pages
from tests.docs.running import Reader
from tests.stack import Stack, running_stack

RUN = {"sh", "python", "console", "json"}
# Data of other kinds; there is nothing to run.
SHOWN = {"csv", "text", "ini", "caddy", "mermaid", "yaml"}
# Blocks that a test cannot run; on a page that is not named here, none. Raise a number only for a block
# that needs containers, minutes, or the internet.
MOST_NOT_RUN = {
    "README.md": 4,
    "docs/command_line.md": 3,
    "docs/ml_handbook.md": 6,
    "docs/operators.md": 12,
    "docs/security.md": 1,
    "docs/tutorial_librarian.md": 1,
}
PAGES = [page for page in pages() if page.name not in GENERATED]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("stack")) as running:
        yield running


@pytest.mark.parametrize("page", [page for page in PAGES if page.blocks], ids=str)
def test_the_page_can_be_followed(page: Page, stack: Stack, tmp_path: Path) -> None:
    reader = Reader(tmp_path, str(stack.http.base_url).rstrip("/"))
    for block in page.blocks:
        if block.not_run is None:
            reader.run(block)


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_block_says_what_it_is(page: Page) -> None:
    for block in page.blocks:
        assert block.language in RUN | SHOWN, f"{block}: {block.language!r}"


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_few_blocks_are_not_run_and_they_say_why(page: Page) -> None:
    not_run = [block for block in page.blocks if block.not_run is not None]
    assert len(not_run) <= MOST_NOT_RUN.get(page.name, 0), [str(block) for block in not_run]
    for block in not_run:
        assert len((block.not_run or "").split()) > 2, f"{block}: why?"


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_what_commands_name_exists(page: Page) -> None:
    texts = [
        (str(block), block.text) for block in page.blocks if block.language in ("sh", "console")
    ]
    texts += [(page.name, name) for name in page.names]
    complaints = [
        f"{where}: {problem}"
        for where, text in texts
        for words in commands_in(text.replace("\n$ ", "\n").removeprefix("$ "))
        if (problem := complaint(words)) is not None
    ]
    assert not complaints


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("make demo", None),
        ("make nonsense", "make has no target nonsense"),
        ("X=1 make bench ROWS=3", None),
        (".venv/bin/spinelabel label books.csv -o out.csv", None),
        ("spinelabel label books.csv --nonsense", "spinelabel label has no option --nonsense"),
        ("spinelabel keys create --owner anna", None),
        ("spinelabel nonsense", "spinelabel has no command nonsense"),
        ("docker compose --profile train run --rm trainer", None),
        ("docker compose --profile nonsense up", "Compose has no profile nonsense"),
        ("docker compose logs --tail 5 nonsense", "Compose has no service nonsense"),
        ("docker compose exec api python -m api.keys list", None),
        ("true && docker compose up --scale nonsense=3", "Compose has no service nonsense"),
    ],
)
def test_what_does_not_exist_is_noticed(text: str, problem: str | None) -> None:
    found = [complaint(words) for words in commands_in(text)]
    assert problem in found
