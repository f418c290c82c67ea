"""The page loads nothing from other servers, and its headers forbid browsers to."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import api
from tests.api.client import ApiClient
from tests.api.conftest import ApiHarness

STATIC = Path(api.__file__).parent / "static"


def test_the_page_and_all_its_resources_are_served(client: ApiClient) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert page.mimetype == "text/html"
    named = set(re.findall(r'(?:src|href)="(/[^"]+)"', page.text))
    scripts = {path for path in named if path.endswith(".js")}
    while scripts:
        script = client.get(scripts.pop()).text
        imported = {f"/static/page/{name}" for name in re.findall(r'from "\./([\w.]+)"', script)}
        scripts |= imported - named
        named |= imported
    for path in named:
        assert client.get(path).status_code == 200, path
    files = {f"/static/page/{file.name}" for file in (STATIC / "page").iterdir()}
    assert files <= named, "a file that nothing uses"


def test_the_page_has_no_external_resources_and_no_inline_code(client: ApiClient) -> None:
    policy = client.get("/").headers["Content-Security-Policy"]
    assert "default-src 'none'; script-src 'self'; style-src 'self';" in policy
    assert "unsafe" not in policy
    for file in STATIC.rglob("*.*"):
        text = file.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://|//cdn", text), file.name
    page = (STATIC / "index.html").read_text("utf-8")
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", page)
    # Texts of catalogues and filenames never become markup.
    for script in (STATIC / "page").glob("*.js"):
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|\beval\b", script.read_text())


def test_every_id_that_scripts_use_is_on_the_page(client: ApiClient) -> None:
    page = client.get("/").text
    defined = re.findall(r'\bid="([\w-]+)"', page)
    assert len(set(defined)) == len(defined)
    for script in (STATIC / "page").glob("*.js"):
        used = set(re.findall(r'\bat\("([\w-]+)"\)', script.read_text()))
        assert used <= set(defined), script.name


@pytest.mark.parametrize("path", ["/", "/healthz", "/v1/jobs", "/nothing", "/static/page/main.js"])
def test_every_response_has_the_security_headers(client: ApiClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert not any(name.startswith("Access-Control") for name in headers.keys())  # noqa: SIM118  # werkzeug's Headers iterate over pairs


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_cross_site_requests_cannot_submit_cancel_or_delete(harness: ApiHarness, site: str) -> None:
    client = harness.client()
    headers = {"Sec-Fetch-Site": site}
    job_id = harness.complete_job()
    for method, path in (
        ("POST", "/v1/jobs"),
        ("POST", f"/v1/jobs/{job_id}/cancel"),
        ("DELETE", f"/v1/jobs/{job_id}"),
    ):
        response = client.open(path, method=method, headers=headers, data=b"summary\na\n")
        assert (response.status_code, response.json["code"]) == (403, "CROSS_SITE")
    assert client.get(f"/v1/jobs/{job_id}", headers=headers).status_code == 200


def test_same_origin_requests_can_submit(harness: ApiHarness) -> None:
    response = harness.client().post(
        "/v1/jobs", headers={"Sec-Fetch-Site": "same-origin"}, data=b"summary\nsome words\n"
    )
    assert response.status_code == 202
