"""Every block of every page does what the page says: run in order, on one real stack."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.docs.commands import commands_in, complaint
from tests.docs.pages import GENERATED, Block, Page, pages, read_page
from tests.docs.running import Reader
from tests.docs.taken import Taken
from tests.stack import ROOT, SAMPLE, Stack, running_stack

RUN = {"sh", "python", "console", "json"}
# Data of other kinds; there is nothing to run.
SHOWN = {"csv", "text", "ini", "caddy", "nginx", "yaml"}
# Blocks that no test can run; on a page that is not named here, none. Raise a number only for a block
# that needs what cannot be had everywhere.
MOST_NOT_RUN = {"docs/operators.md": 3}
PAGES = [page for page in pages() if page.name not in GENERATED]
BLOCKS = [block for page in PAGES for block in page.blocks]
# The key that pages revoke.
EXAMPLE_KEY = "sl_0a1b2c3d4e5f"
# Where `up` listens unless told otherwise.
PORT = 8000

CANCEL = Taken("docs/command_line.md", __file__).take("spinelabel cancel")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("stack")) as running:
        yield running


def reader_of(stack: Stack, folder: Path) -> Reader:
    """Somebody at that stack, from whom nothing is hidden: its data folder is theirs."""
    reader = Reader(folder, str(stack.http.base_url).rstrip("/"))
    reader.environment["SPINELABEL_DATA_DIR"] = str(stack.data_dir)
    return reader


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("page", [page for page in PAGES if page.blocks], ids=str)
def test_the_page_can_be_followed(page: Page, stack: Stack, tmp_path: Path) -> None:
    reader = reader_of(stack, tmp_path)
    if any(block.in_order and EXAMPLE_KEY in block.text for block in page.blocks):
        reader.actual[EXAMPLE_KEY] = a_key(reader)
    for block in page.blocks:
        if block.in_order:
            reader.run(block)


def a_key(reader: Reader) -> str:
    """The id of a key that was made for the example."""
    said = subprocess.run(
        ["spinelabel", "keys", "create", "--owner", "somebody", "--json"],
        env=reader.environment,
        capture_output=True,
        check=True,
    )
    return str(json.loads(said.stdout)["id"])


def test_a_job_that_is_under_way_is_cancelled(stack: Stack, tmp_path: Path) -> None:
    reader = reader_of(stack, tmp_path)
    with stack.held():
        job = stack.submit(SAMPLE.read_bytes())
        reader.environment["JOB"] = job
        reader.run(CANCEL)
    assert stack.wait(job)["state"] == "cancelled"


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.lasting], ids=str)
def test_what_runs_until_it_is_stopped_starts_and_ends(block: Block, tmp_path: Path) -> None:
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", PORT)) == 0:
            taken = f"something listens on port {PORT}"
            if os.environ.get("CI") == "true":
                pytest.fail(taken)
            pytest.skip(taken)
    server = f"http://127.0.0.1:{PORT}"
    said = Reader(tmp_path, server).run_until_ready(block)
    assert f"Spinelabel is at {server}" in said
    with pytest.raises(httpx.ConnectError):
        httpx.get(server)


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.run_by], ids=str)
def test_whoever_is_said_to_run_a_block_does(block: Block) -> None:
    runner = ROOT / str(block.run_by)
    text = runner.read_text("utf-8")
    if runner.suffix == ".py":
        # The module takes its blocks from the page, and has to take all.
        assert f'Taken("{block.page}", __file__)' in text
    elif runner.suffix == ".md":
        # Of a page that does run its own.
        others = [o for o in read_page(runner).blocks if not o.not_run and not is_page(o.run_by)]
        assert commands_of(block) <= {command for o in others for command in commands_of(o)}
    else:
        assert commands_of(block) <= {tuple(words) for words in commands_in(text)}


def is_page(name: str | None) -> bool:
    return name is not None and name.endswith(".md")


def commands_of(block: Block) -> set[tuple[str, ...]]:
    """The commands, without their comments."""
    return {tuple(words) for words in commands_in(block.text)}


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
