"""Everything that pages refer to exists: other pages, headings, files, settings."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

import pytest

from tests.docs.pages import GENERATED, Page, pages
from tests.stack import ROOT
from tools.settings_table import PAGE, page_with_tables, settings_tables

PAGES = [page for page in pages() if page.name not in GENERATED]
BY_NAME = {page.name: page for page in pages()}
FOLDERS = {path.name for path in ROOT.iterdir() if path.is_dir()} - {"var", "runs"}
# Settings of the command line and the tests, which no settings class has.
OTHER_SETTINGS = {
    "SPINELABEL_API_KEY",
    "SPINELABEL_COMPOSE_OFFICIAL",
    "SPINELABEL_COMPOSE_TEST",
    "SPINELABEL_DATA_DIR",
    "SPINELABEL_DEBUG",
    "SPINELABEL_SERVER",
}
# Files that users create, and paths in storage.
NOT_IN_REPOSITORY = {"deploy/secrets/redis_password", "jobs/ID/.input.HEX"}
_PATH = re.compile(r"^(?:\./)?([a-z_]+(?:/[\w.-]+)+/?)$")
_SETTING = re.compile(r"\bSPINELABEL_[A-Z_]+\b")


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_link_targets_exist(page: Page) -> None:
    folder = (ROOT / page.name).parent
    for link in page.links:
        parts = urlsplit(link)
        if parts.scheme:
            continue
        target = (folder / unquote(parts.path)).resolve() if parts.path else ROOT / page.name
        assert target.exists(), link
        if parts.fragment:
            linked = BY_NAME[target.relative_to(ROOT).as_posix()]
            assert parts.fragment in linked.anchors, link


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_named_files_exist(page: Page) -> None:
    for name in page.names:
        path = _PATH.match(name)
        if path and path[1].partition("/")[0] in FOLDERS and path[1] not in NOT_IN_REPOSITORY:
            assert (ROOT / path[1]).exists(), name


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_named_settings_exist(page: Page) -> None:
    known = OTHER_SETTINGS | set(_SETTING.findall(settings_tables()))
    text = "\n".join([*page.names, *(block.text for block in page.blocks)])
    assert set(_SETTING.findall(text)) <= known


def test_the_tables_of_settings_match_the_code() -> None:
    page = PAGE.read_text("utf-8")
    assert page == page_with_tables(page), "run: python -m tools.settings_table"


@pytest.mark.parametrize("page", [page for page in pages() if page.name.count("/") == 1], ids=str)
def test_every_page_is_in_the_index(page: Page) -> None:
    index = BY_NAME["docs/README.md"]
    name = page.name.removeprefix("docs/")
    assert name == "README.md" or name in index.links


DECISIONS = [page for page in PAGES if re.match(r"docs/decisions/\d", page.name)]


@pytest.mark.parametrize("page", DECISIONS, ids=str)
def test_every_decision_is_in_the_list_under_its_title(page: Page) -> None:
    heading = (ROOT / page.name).read_text("utf-8").partition("\n")[0]
    number, _, title = heading.removeprefix("# ").partition(" ")
    name = page.name.rpartition("/")[2]
    assert name.startswith(f"{number}-")
    listed = (ROOT / "docs/decisions/README.md").read_text("utf-8")
    assert f"| [{number}]({name}) | {title} | " in listed


@pytest.mark.parametrize("page", DECISIONS, ids=str)
def test_every_decision_has_a_status_and_a_date(page: Page) -> None:
    status = (ROOT / page.name).read_text("utf-8").split("\n\n")[1]
    assert re.match(r"Status: (accepted, \d{4}-\d\d-\d\d\.|superseded by \[)", status)
    assert re.search(r"\d{4}-\d\d-\d\d", status)


def test_figures_of_the_comparison_are_in_their_sources() -> None:
    sources = [
        (ROOT / "docs" / name).read_text("utf-8") for name in ("performance.md", "model_card.md")
    ]
    text = re.sub(r"\(.*?\)|`.*?`", "", (ROOT / "docs" / "comparison.md").read_text("utf-8"))
    figures = re.findall(r"(?<![\d.])\d+\.\d+(?![\d.])", text)
    assert figures
    assert [figure for figure in figures if not any(figure in page for page in sources)] == []


def test_labels_named_in_the_tutorial_are_on_the_page() -> None:
    shown = "".join(
        path.read_text("utf-8")
        for path in sorted((ROOT / "api" / "static").rglob("*"))
        if path.suffix in (".html", ".js")
    )
    tutorial = (ROOT / "docs" / "tutorial_librarian.md").read_text("utf-8")
    labels = re.findall(r"\*\*(.+?)\*\*", tutorial)
    assert labels
    assert [label for label in labels if label not in shown] == []
