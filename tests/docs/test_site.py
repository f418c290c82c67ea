"""The documentation's site builds without warnings and loads nothing from other servers."""

from __future__ import annotations

import os
import re
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.stack import ROOT

PYTHON = ROOT / "var" / "docs" / "bin" / "python"
# Elements that make a browser fetch what their attribute names; links (`a`) wait for a click.
FETCHING = {
    "audio",
    "embed",
    "iframe",
    "img",
    "input",
    "link",
    "object",
    "script",
    "source",
    "track",
    "use",
    "video",
}
EXTERNAL = re.compile(r"(?:https?:)?//", re.IGNORECASE)
IN_CSS = re.compile(r"(?:@import\s*['\"]?|url\(\s*['\"]?)(?:https?:)?//", re.IGNORECASE)


class Fetches(HTMLParser):
    """What a page makes a browser fetch from other servers, its policy, and its diagrams."""

    def __init__(self) -> None:
        super().__init__()
        self.external: list[str] = []
        self.policy: str | None = None
        self.has_diagrams = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "meta" and values.get("http-equiv") == "Content-Security-Policy":
            self.policy = values["content"]
        self.has_diagrams |= "mermaid" in values.get("class", "").split()
        if tag in FETCHING and values.get("rel") != "canonical":
            self.external += [
                f"{tag} {name}={values[name]}"
                for name in ("src", "href", "data", "srcset", "poster")
                if EXTERNAL.match(values.get(name, ""))
            ]
        if IN_CSS.search(values.get("style", "")):
            self.external.append(values["style"])


def fetches(html: str) -> Fetches:
    parser = Fetches()
    parser.feed(html)
    return parser


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not PYTHON.exists():
        if os.environ.get("CI") == "true":
            pytest.fail("`make docs` has not been run")
        pytest.skip("`make docs` has not been run")
    folder = tmp_path_factory.mktemp("site")
    result = subprocess.run(
        [PYTHON, "-m", "mkdocs", "build", "--strict", "--site-dir", folder],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    return folder


def test_the_site_has_every_page(site: Path) -> None:
    for source in (ROOT / "docs").rglob("*.md"):
        name = "index" if source.name == "README.md" else source.stem
        assert (site / source.relative_to(ROOT / "docs").with_name(f"{name}.html")).exists()


def test_no_page_loads_anything_from_other_servers(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert pages
    for page in pages:
        parsed = fetches(page.read_text("utf-8"))
        assert parsed.external == [], page
        # Material's script loads Mermaid from unpkg.com, but only for pages with diagrams.
        assert not parsed.has_diagrams, page
        assert parsed.policy is not None, page
        assert "default-src 'self'" in parsed.policy
        assert "http" not in parsed.policy


def test_no_style_sheet_loads_anything_from_other_servers(site: Path) -> None:
    sheets = list(site.rglob("*.css"))
    assert sheets
    assert [str(sheet) for sheet in sheets if IN_CSS.search(sheet.read_text("utf-8"))] == []


@pytest.mark.parametrize(
    "html",
    [
        '<script src="https://unpkg.com/mermaid"></script>',
        '<link rel="stylesheet" href="//fonts.googleapis.com/css?family=Roboto">',
        '<link rel="preconnect" href="https://fonts.gstatic.com">',
        "<div style=\"background: url('https://example.org/x.png')\"></div>",
    ],
)
def test_external_sources_are_detected(html: str) -> None:
    assert fetches(html).external
