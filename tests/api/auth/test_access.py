"""Authentication, ownership and limits of requests."""

from __future__ import annotations

import uuid

import pytest

from api.auth.authentication import OPEN_ENDPOINTS
from api.settings import ApiSettings
from tests.api.client import ApiClient
from tests.api.conftest import ApiHarness
from tests.api.keyed_api import CATALOGUE, KeyedApi, submit


@pytest.fixture
def keyed_api(harness: ApiHarness) -> KeyedApi:
    return KeyedApi(harness)


def test_every_endpoint_except_open_ones_requires_a_key(keyed_api: KeyedApi) -> None:
    client = keyed_api.client(None)
    checked = 0
    for rule in keyed_api.app.url_map.iter_rules():
        if rule.endpoint in OPEN_ENDPOINTS:
            continue
        path = rule.rule.replace("<job_id>", f"job_{0:032x}").replace("<int:row>", "1")
        assert "<" not in path
        for method in rule.methods or ():
            response = client.open(path, method=method)
            assert response.status_code == 401, (method, path)
            checked += 1
    assert checked > 10


def test_the_page_the_api_description_and_probes_need_no_key(keyed_api: KeyedApi) -> None:
    client = keyed_api.client(None)
    for path in ("/", "/static/docs.js", "/docs", "/openapi.json", "/healthz"):
        assert client.get(path).status_code == 200, path
    assert client.get("/readyz").status_code == 503  # no worker here
    assert client.get("/nowhere").status_code == 401


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        ("", "UNAUTHENTICATED"),
        ("Bearer", "UNAUTHENTICATED"),
        ("Basic YTpi", "UNAUTHENTICATED"),
        ("Bearer nonsense", "INVALID_API_KEY"),
        (f"Bearer sl_{'0' * 12}_{'0' * 64}", "INVALID_API_KEY"),
    ],
)
def test_a_missing_or_invalid_key_is_refused(
    keyed_api: KeyedApi, authorization: str, code: str
) -> None:
    response = keyed_api.client(None).get("/v1/jobs", headers={"Authorization": authorization})
    assert (response.status_code, response.get_json()["code"]) == (401, code)
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_known_key_id_with_a_wrong_secret_is_refused(keyed_api: KeyedApi) -> None:
    key = keyed_api.new_key("anna")
    wrong = key[:-1] + ("0" if key[-1] != "0" else "1")
    assert keyed_api.client(key).get("/v1/jobs").status_code == 200
    assert keyed_api.client(wrong).get("/v1/jobs").get_json()["code"] == "INVALID_API_KEY"


def test_a_revoked_key_is_refused_at_once(keyed_api: KeyedApi) -> None:
    key = keyed_api.new_key("anna")
    client = keyed_api.client(key)
    assert client.get("/v1/jobs").status_code == 200
    keyed_api.harness.keys.revoke(key.rpartition("_")[0])
    assert client.get("/v1/jobs").get_json()["code"] == "INVALID_API_KEY"


def test_only_the_owner_can_access_a_job(keyed_api: KeyedApi) -> None:
    anna, ben = keyed_api.client_for("anna"), keyed_api.client_for("ben")
    job_id = submit(anna)
    keyed_api.harness.label(job_id)
    keyed_api.harness.assemble(job_id)
    job = f"/v1/jobs/{job_id}"
    calls = [
        (rule.rule.replace("<job_id>", job_id).replace("<int:row>", "1"), method)
        for rule in keyed_api.app.url_map.iter_rules()
        if "<job_id>" in rule.rule
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    ]
    assert {(job, "GET"), (job, "DELETE"), (f"{job}/result", "GET")} <= set(calls)
    for path, method in calls:
        response = ben.open(path, method=method, json={"genre": "horror"})
        assert response.status_code == 404, (method, path, response.text)
        assert response.get_json()["code"] == "JOB_NOT_FOUND"
    assert anna.get(job).status_code == 200
    assert anna.get(f"{job}/result").status_code == 200
    assert "event: end" in anna.get(f"{job}/events").text
    assert anna.delete(job).status_code == 204


def test_a_job_of_another_owner_looks_like_an_unknown_job(keyed_api: KeyedApi) -> None:
    job_id = submit(keyed_api.client_for("anna"))
    ben = keyed_api.client_for("ben")
    unknown_id = f"job_{uuid.uuid4().hex}"
    foreign, unknown = (ben.get(f"/v1/jobs/{name}").text for name in (job_id, unknown_id))
    assert foreign.replace(job_id, "ID") == unknown.replace(unknown_id, "ID")


def test_callers_list_their_own_jobs_and_admins_list_all(keyed_api: KeyedApi) -> None:
    anna, ben, admin = (
        keyed_api.client_for("anna"),
        keyed_api.client_for("ben"),
        keyed_api.client_for("c", is_admin=True),
    )
    anna_job, ben_job = submit(anna), submit(ben)

    def list_ids(client: ApiClient, **query: str) -> list[str]:
        return [j["id"] for j in client.get("/v1/jobs", query_string=query).get_json()["jobs"]]

    assert [j["owner"] for j in admin.get("/v1/jobs").get_json()["jobs"]] == ["ben", "anna"]
    assert list_ids(anna) == [anna_job]
    assert list_ids(ben) == [ben_job]
    assert set(list_ids(admin)) == {anna_job, ben_job}
    assert (
        anna.get("/v1/jobs", query_string={"after": ben_job}).get_json()["code"] == "INVALID_CURSOR"
    )
    assert admin.get(f"/v1/jobs/{anna_job}").status_code == 200


def test_jobs_belong_to_the_owner_not_to_the_key(keyed_api: KeyedApi) -> None:
    old, new = keyed_api.new_key("anna"), keyed_api.new_key("anna")
    job_id = submit(keyed_api.client(old))
    keyed_api.harness.keys.revoke(old.rpartition("_")[0])
    assert keyed_api.client(new).get(f"/v1/jobs/{job_id}").status_code == 200


def test_a_job_submitted_without_a_key_is_visible_to_admins_only(harness: ApiHarness) -> None:
    job_id = harness.submit()
    keyed_api = KeyedApi(harness)
    assert keyed_api.client_for("anna").get(f"/v1/jobs/{job_id}").status_code == 404
    assert keyed_api.client_for("root", is_admin=True).get(f"/v1/jobs/{job_id}").status_code == 200


def test_two_owners_may_use_the_same_idempotency_key(keyed_api: KeyedApi) -> None:
    anna, ben = keyed_api.client_for("anna"), keyed_api.client_for("ben")
    first = submit(anna, **{"Idempotency-Key": "one"})
    other = submit(ben, **{"Idempotency-Key": "one"})
    assert first != other
    assert submit(anna, **{"Idempotency-Key": "one"}) == first


def test_a_browser_signs_in_with_its_key_once(keyed_api: KeyedApi) -> None:
    key, browser = keyed_api.new_key("anna"), keyed_api.client(None)
    assert browser.get("/v1/session").get_json() == {
        "keys_required": True,
        "signed_in": False,
        "owner": None,
        "admin": False,
    }
    response = browser.post("/v1/session", json={"key": key})
    assert response.get_json()["owner"] == "anna"
    cookie = response.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "Secure" not in cookie  # this was http
    assert browser.get("/v1/jobs").status_code == 200
    assert browser.get("/v1/session").get_json()["signed_in"]
    assert browser.delete("/v1/session").status_code == 204
    assert browser.get("/v1/jobs").status_code == 401


def test_the_cookie_is_secure_behind_a_trusted_tls_proxy(harness: ApiHarness) -> None:
    keyed_api = KeyedApi(harness, trusted_proxies=1)
    response = keyed_api.client(None).post(
        "/v1/session",
        json={"key": keyed_api.new_key("anna")},
        headers={"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7"},
    )
    assert "Secure" in response.headers["Set-Cookie"]


def test_a_wrong_key_starts_no_session(keyed_api: KeyedApi) -> None:
    response = keyed_api.client(None).post("/v1/session", json={"key": "wrong"})
    assert (response.status_code, response.get_json()["code"]) == (401, "INVALID_API_KEY")
    assert "Set-Cookie" not in response.headers


def test_a_malformed_key_is_not_repeated_in_the_response(keyed_api: KeyedApi) -> None:
    key = keyed_api.new_key("anna")
    secret = key.rpartition("_")[2]
    for body in ({"key": key * 9}, {"key": [key]}, {"key": {key: key}}):
        response = keyed_api.client(None).post("/v1/session", json=body)
        assert response.status_code == 400
        assert secret[:8] not in response.text


def test_cross_site_requests_cannot_use_the_session_cookie(keyed_api: KeyedApi) -> None:
    browser = keyed_api.client(None)
    browser.post("/v1/session", json={"key": keyed_api.new_key("anna")})
    for site in ("cross-site", "same-site"):
        response = browser.post("/v1/jobs", data=CATALOGUE, headers={"Sec-Fetch-Site": site})
        assert (response.status_code, response.get_json()["code"]) == (403, "CROSS_SITE")


FOREIGN_ORIGINS = [
    "https://evil.example",
    "null",
    "",
    "http://localhost",
    "http://localhost:9000",
    "https://localhost:8000",
    "http://localhost.evil.example:8000",
    "http://evil.example@localhost:9000",
    "http://127.0.0.1:8000",
    "http://localhost:8000, https://evil.example",
    "http://[",
    "localhost:8000",
]
UNSAFE_ROUTES = [
    ("POST", "/v1/jobs"),
    ("POST", "/v1/preview"),
    ("POST", "/v1/session"),
    ("DELETE", "/v1/session"),
    ("POST", "/v1/label"),
    ("POST", "/v1/webhook-secret"),
    ("DELETE", "/v1/jobs/{job}"),
    ("POST", "/v1/jobs/{job}/cancel"),
    ("PUT", "/v1/jobs/{job}/corrections/1"),
    ("DELETE", "/v1/jobs/{job}/corrections/1"),
]


def refusal_codes(client: ApiClient, job_id: str, **headers: str) -> list[str | None]:
    """The problem codes of all requests that change something."""
    responses = [
        client.open(
            path.format(job=job_id), method=method, headers={"Host": "localhost:8000"} | headers
        )
        for method, path in UNSAFE_ROUTES
    ]
    return [(response.get_json(silent=True) or {}).get("code") for response in responses]


@pytest.mark.parametrize("origin", FOREIGN_ORIGINS)
def test_foreign_origins_are_refused_without_fetch_metadata(
    harness: ApiHarness, keyed_api: KeyedApi, origin: str
) -> None:
    job_id = submit(keyed_api.client_for("anna"))
    browser = keyed_api.client(None)
    browser.post("/v1/session", json={"key": keyed_api.new_key("anna")})
    assert set(refusal_codes(browser, job_id, Origin=origin)) == {"CROSS_SITE"}
    harness.settings = without_keys(harness.settings)
    assert set(refusal_codes(harness.client(), job_id, Origin=origin)) == {"CROSS_SITE"}
    assert browser.get("/v1/jobs", headers={"Origin": origin}).status_code == 200


def test_the_list_of_unsafe_routes_is_complete(keyed_api: KeyedApi) -> None:
    rules = {
        (method, rule.rule.replace("<job_id>", "{job}").replace("<int:row>", "1"))
        for rule in keyed_api.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"GET", "HEAD", "OPTIONS"}
    }
    assert rules == set(UNSAFE_ROUTES)


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("localhost:8000", "http://localhost:8000"),
        ("localhost", "http://localhost:80"),
        ("localhost:80", "http://localhost"),
        ("LOCALHOST:8000", "http://localhost:8000"),
        ("[::1]:8000", "http://[::1]:8000"),
        ("127.0.0.1:8000", "http://127.0.0.1:8000"),
    ],
)
def test_same_origin_requests_are_accepted(client: ApiClient, host: str, origin: str) -> None:
    submit(client, Host=host, Origin=origin)


def test_behind_a_proxy_the_origin_is_compared_with_the_public_host(harness: ApiHarness) -> None:
    anna = KeyedApi(harness, trusted_proxies=1).client_for("anna")
    forwarded = {
        "Host": "books.example",
        "X-Forwarded-For": "192.0.2.7",
        "X-Forwarded-Proto": "https",
    }
    submit(anna, **forwarded, Origin="https://books.example")
    for headers in (
        forwarded | {"Origin": "http://books.example"},
        {**forwarded, "Host": "127.0.0.1:8000", "Origin": "https://books.example"},
    ):
        response = anna.post("/v1/jobs", data=CATALOGUE, headers=headers)
        assert response.get_json()["code"] == "CROSS_SITE"
        assert "Host header" in response.get_json()["detail"]


PROXY_HEADERS = [
    "X-Forwarded-For",
    "x-forwarded-proto",
    "X-Forwarded-Host",
    "X-Forwarded-Anything",
    "Forwarded",
    "Via",
    "X-Real-IP",
]


@pytest.mark.parametrize("name", PROXY_HEADERS)
def test_without_keys_proxied_requests_are_refused(client: ApiClient, name: str) -> None:
    for method, path in (
        ("GET", "/v1/jobs"),
        ("POST", "/v1/jobs"),
        ("GET", "/"),
        ("GET", "/metrics"),
    ):
        response = client.open(path, method=method, headers={name: "203.0.113.9"})
        assert (response.status_code, response.get_json()["code"]) == (421, "PROXY_WITHOUT_KEYS")
        assert "SPINELABEL_TRUSTED_PROXIES" in response.get_json()["detail"]
    assert client.get("/healthz", headers={name: "203.0.113.9"}).status_code == 200
    assert client.get("/readyz", headers={name: "203.0.113.9"}).status_code == 503  # no worker here


@pytest.mark.parametrize("name", PROXY_HEADERS)
def test_with_keys_proxied_requests_are_served(keyed_api: KeyedApi, name: str) -> None:
    assert keyed_api.client_for("anna").get("/v1/jobs", headers={name: "a"}).status_code == 200


def test_a_file_above_the_upload_limit_of_the_key_is_refused(keyed_api: KeyedApi) -> None:
    client = keyed_api.client_for("anna", upload_bytes=20)
    response = client.post("/v1/jobs", data=CATALOGUE)
    assert (response.status_code, response.get_json()["code"]) == (413, "FILE_TOO_LARGE")
    submit(keyed_api.client_for("ben"))


def test_jobs_above_the_limit_of_open_jobs_are_refused(keyed_api: KeyedApi) -> None:
    anna = keyed_api.client_for("anna", open_jobs=1)
    job_id = submit(anna, **{"Idempotency-Key": "one"})
    names_before = keyed_api.harness.storage.names("")
    response = anna.post("/v1/jobs", data=CATALOGUE)
    assert (response.status_code, response.get_json()["code"]) == (429, "TOO_MANY_OPEN_JOBS")
    assert int(response.headers["Retry-After"]) > 0
    assert keyed_api.harness.storage.names("") == names_before
    assert submit(anna, **{"Idempotency-Key": "one"}) == job_id  # creates no job
    anna.post(f"/v1/jobs/{job_id}/cancel")
    keyed_api.harness.assemble(job_id)
    submit(anna)


def test_the_limit_of_open_jobs_is_checked_before_the_body_is_read(keyed_api: KeyedApi) -> None:
    anna = keyed_api.client_for("anna", open_jobs=1)
    submit(anna)
    cut_off = {"CONTENT_LENGTH": "1000000"}
    response = anna.post("/v1/jobs", data=CATALOGUE, environ_overrides=cut_off)
    assert response.get_json()["code"] == "TOO_MANY_OPEN_JOBS"


def test_requests_above_the_rate_limit_of_the_key_are_refused(keyed_api: KeyedApi) -> None:
    anna, ben = keyed_api.client_for("anna", requests_per_minute=2), keyed_api.client_for("ben")
    first = anna.get("/v1/jobs")
    assert "Retry-After" not in first.headers
    assert [anna.get("/v1/jobs").status_code for _ in range(2)] == [200, 429]
    response = anna.get("/v1/jobs")
    assert response.get_json()["code"] == "TOO_MANY_REQUESTS"
    assert 0 < int(response.headers["Retry-After"]) <= 61
    assert ben.get("/v1/jobs").status_code == 200
    assert anna.get("/healthz").status_code == anna.get("/").status_code == 200


def test_the_default_rate_limit_is_a_setting(harness: ApiHarness) -> None:
    anna = KeyedApi(harness, requests_per_minute=1).client_for("anna")
    assert [anna.get("/v1/jobs").status_code for _ in range(2)] == [200, 429]


@pytest.mark.parametrize(
    ("host", "published", "required"),
    [
        ("127.0.0.1", None, False),
        ("127.0.0.2", None, False),
        ("::1", None, False),
        ("localhost", None, False),
        ("0.0.0.0", None, True),
        ("::", None, True),
        ("192.168.1.5", None, True),
        ("books.example", None, True),
        ("0.0.0.0", "127.0.0.1:8000", False),
        ("0.0.0.0", "[::1]:8000", False),
        ("0.0.0.0", "0.0.0.0:8000", True),
        ("0.0.0.0", "8000", True),
        ("0.0.0.0", "192.168.1.5:80", True),
    ],
)
def test_keys_are_required_unless_the_server_is_bound_to_loopback(
    host: str, published: str | None, required: bool
) -> None:
    settings = ApiSettings(api_host=host, api_public_address=published)
    assert settings.keys_required is required
    assert ApiSettings(api_host=host, api_public_address=published, auth="required").keys_required
    if required:
        with pytest.raises(ValueError, match="keys cannot be off"):
            ApiSettings(api_host=host, api_public_address=published, auth="off")
    else:
        assert not ApiSettings(
            api_host=host, api_public_address=published, auth="off"
        ).keys_required


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "192.168.1.5:8000", "[", ""]
)
def test_without_keys_other_host_names_are_refused(client: ApiClient, host: str) -> None:
    response = client.get("/v1/jobs", headers={"Host": host})
    assert (response.status_code, response.get_json()["code"]) == (421, "HOST_NOT_ALLOWED")
    assert client.get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1:8000", "[::1]:8000"])
def test_without_keys_loopback_host_names_are_served(client: ApiClient, host: str) -> None:
    assert client.get("/v1/jobs", headers={"Host": host}).status_code == 200


def test_with_keys_any_host_name_is_served(keyed_api: KeyedApi) -> None:
    response = keyed_api.client_for("anna").get("/v1/jobs", headers={"Host": "books.example"})
    assert response.status_code == 200


def test_without_keys_every_job_is_visible(harness: ApiHarness) -> None:
    keyed_api = KeyedApi(harness)
    job_id = submit(keyed_api.client_for("anna"))
    harness.settings = without_keys(harness.settings)
    client = harness.client()
    assert client.get(f"/v1/jobs/{job_id}").status_code == 200
    assert client.get("/v1/session").get_json()["signed_in"]


def without_keys(settings: ApiSettings) -> ApiSettings:
    return settings.model_copy(update={"auth": "off"})


def test_over_tls_responses_have_strict_transport_security(harness: ApiHarness) -> None:
    client = KeyedApi(harness, trusted_proxies=1).client(None)
    over_tls = client.get("/", headers={"X-Forwarded-Proto": "https"}).headers
    assert over_tls["Strict-Transport-Security"] == "max-age=31536000"
    assert "Strict-Transport-Security" not in client.get("/").headers
