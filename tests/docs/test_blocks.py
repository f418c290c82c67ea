"""Every code block of every page works: run in order, on one real stack."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.docs.block_runner import BlockRunner
from tests.docs.claimed_blocks import ClaimedBlocks
from tests.docs.commands import commands_in, complaint
from tests.docs.pages import GENERATED, Block, Page, pages, read_page
from tests.stack import ROOT, SAMPLE, Stack, running_stack

RUN = {"sh", "python", "console", "json"}
# Languages that are shown and not run.
SHOWN = {"csv", "text", "ini", "caddy", "nginx", "yaml"}
# Page → maximum number of blocks that no test runs; 0 for other pages. Raise a number only for a
# block that needs something unavailable on most machines, such as an image registry.
MAX_NOT_RUN = {"docs/operators.md": 3}
PAGES = [page for page in pages() if page.name not in GENERATED]
BLOCKS = [block for page in PAGES for block in page.blocks]
# The key that pages revoke.
EXAMPLE_KEY = "sl_0a1b2c3d4e5f"
# The default port of `up`.
PORT = 8000

CANCEL = ClaimedBlocks("docs/command_line.md", __file__).claim("spinelabel cancel")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("stack")) as running:
        yield running


def runner_for(stack: Stack, folder: Path) -> BlockRunner:
    """A runner with access to the stack's data folder."""
    runner = BlockRunner(folder, str(stack.http.base_url).rstrip("/"))
    runner.environment["SPINELABEL_DATA_DIR"] = str(stack.data_dir)
    return runner


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("page", [page for page in PAGES if page.blocks], ids=str)
def test_the_page_can_be_followed(page: Page, stack: Stack, tmp_path: Path) -> None:
    runner = runner_for(stack, tmp_path)
    if any(block.in_order and EXAMPLE_KEY in block.text for block in page.blocks):
        runner.replacements[EXAMPLE_KEY] = create_key(runner)
    for block in page.blocks:
        if block.in_order:
            runner.run(block)


def create_key(runner: BlockRunner) -> str:
    """Create a key for the example and return its id."""
    completed = subprocess.run(
        ["spinelabel", "keys", "create", "--owner", "anna", "--json"],
        env=runner.environment,
        capture_output=True,
        check=True,
    )
    return str(json.loads(completed.stdout)["id"])


def test_the_cancel_block_cancels_a_running_job(stack: Stack, tmp_path: Path) -> None:
    runner = runner_for(stack, tmp_path)
    with stack.suspended_worker():
        job = stack.submit(SAMPLE.read_bytes())
        runner.environment["JOB"] = job
        runner.run(CANCEL)
    assert stack.wait(job)["state"] == "cancelled"


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.lasting], ids=str)
def test_lasting_blocks_start_and_stop(block: Block, tmp_path: Path) -> None:
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", PORT)) == 0:
            reason = f"port {PORT} is in use"
            if os.environ.get("CI") == "true":
                pytest.fail(reason)
            pytest.skip(reason)
    server = f"http://127.0.0.1:{PORT}"
    output = BlockRunner(tmp_path, server).run_until_ready(block)
    assert f"Spinelabel is at {server}" in output
    with pytest.raises(httpx.ConnectError):
        httpx.get(server)


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.run_by], ids=str)
def test_the_named_file_runs_the_block(block: Block) -> None:
    runner = ROOT / str(block.run_by)
    text = runner.read_text("utf-8")
    if runner.suffix == ".py":
        # The module claims its blocks from the page, and tests that none is left.
        assert f'ClaimedBlocks("{block.page}", __file__)' in text
    elif runner.suffix == ".md":
        # Blocks of a page that runs its own.
        others = [o for o in read_page(runner).blocks if not o.not_run and not is_page(o.run_by)]
        assert commands_of(block) <= {command for o in others for command in commands_of(o)}
    else:
        run = {tuple(words) for words in commands_in(text)}
        if ("make", "test-all") in run:
            run.add(("make", "test"))  # a part of it
        assert commands_of(block) <= run


def is_page(name: str | None) -> bool:
    return name is not None and name.endswith(".md")


def commands_of(block: Block) -> set[tuple[str, ...]]:
    """The commands of a block, without their comments."""
    return {tuple(words) for words in commands_in(block.text)}


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_block_has_a_known_language(page: Page) -> None:
    for block in page.blocks:
        assert block.language in RUN | SHOWN, f"{block}: {block.language!r}"


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_blocks_that_are_not_run_are_few_and_give_a_reason(page: Page) -> None:
    not_run = [block for block in page.blocks if block.not_run is not None]
    assert len(not_run) <= MAX_NOT_RUN.get(page.name, 0), [str(block) for block in not_run]
    for block in not_run:
        assert len((block.not_run or "").split()) > 2, f"{block}: why?"


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_targets_commands_and_services_exist(page: Page) -> None:
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
def test_missing_targets_commands_and_services_are_reported(text: str, problem: str | None) -> None:
    problems = [complaint(words) for words in commands_in(text)]
    assert problem in problems
