"""The logs of a running API: clients cannot forge lines, and no secret is logged."""

from __future__ import annotations

from urllib.parse import quote

import httpx
import pytest

from api.http.logged_requests import logged_url
from jobs.api_keys import KeyLimits, generate_api_key
from jobs.ports.webhooks import new_secret
from tests.api.conftest import StartApi
from tests.waiting import WITHIN_S

FORGED = '{"audit": "deletion", "owner": "anna"}'
KEY, STORED_KEY = generate_api_key("anna", is_admin=False, limits=KeyLimits())
SECRET_OF_KEY = KEY.removeprefix(STORED_KEY.id)


def url_in_log(path: str, query: str = "") -> str:
    return logged_url({"PATH_INFO": path.encode().decode("latin-1"), "QUERY_STRING": query})


def test_no_log_line_can_be_forged_while_redis_is_unreachable(start_api: StartApi) -> None:
    api = start_api(SPINELABEL_AUTH="required", SPINELABEL_REDIS_URL="redis://127.0.0.1:1/0")
    path = "/v1/x%0a" + quote(FORGED) + "%0a%e2%80%a8" + quote(FORGED) + "%0d"
    response = httpx.get(
        api.url + path, headers={"Authorization": f"Bearer {KEY}"}, timeout=WITHIN_S
    )
    assert response.status_code == 503
    api.stop()
    lines = api.log.read_text().splitlines()
    assert [line for line in lines if "service_unavailable" in line]
    assert not [line for line in lines if line.startswith('{"audit": "deletion"')]


def test_a_key_in_the_url_is_not_logged(start_api: StartApi) -> None:
    api = start_api(SPINELABEL_AUTH="required")
    encoded = KEY.replace("s", "%73").replace("_", "%5F")
    for target in (
        f"/v1/jobs?key={KEY}", f"/v1/jobs?{KEY}", f"/v1/jobs?k%65y={encoded}&limit={KEY}",
        f"/v1/jobs/{KEY}", f"/v1/{encoded}?w%65bhook_url=https://a.org/{KEY}",
    ):  # fmt: skip
        assert httpx.get(api.url + target, timeout=WITHIN_S).status_code == 401
    api.stop()
    log = api.log.read_text()
    assert log.count("status=401") == 5
    assert SECRET_OF_KEY not in log
    assert SECRET_OF_KEY.strip("_") not in log
    assert encoded not in log


@pytest.mark.parametrize(
    ("query", "logged"),
    [
        ("limit=5&after=job_0&state=failed", "limit=5&after=job_0&state=failed"),
        ("created_after=2026-01-31T12%3A00%3A00Z", "created_after=2026-01-31T12:00:00Z"),
        ("filename=mine.csv&search=words+of+a+row", "filename=-&search=-"),
        ("webhook_url=https://a.org/t0ken", "webhook_url=-"),
        ("w%65bhook_url=https://a.org/t0ken", "webhook_url=-"),
        ("limit=" + "9" * 65, "limit=-"),
        ("limit=%0a", "limit=-"),
        ("Token42=x&=&a", "-&-&a=-"),
        ("secret=" + quote(new_secret()), "secret=-"),
    ],
)
def test_only_harmless_values_of_parameters_are_logged(query: str, logged: str) -> None:
    assert url_in_log("/v1/jobs", query) == f"/v1/jobs?{logged}"


def test_a_path_is_logged_percent_encoded() -> None:
    assert url_in_log("/v1/a b\n\u2028é") == "/v1/a%20b%0A%E2%80%A8%C3%A9"
    assert url_in_log(f"/v1/{KEY}") == f"/v1/{STORED_KEY.id}_***"
