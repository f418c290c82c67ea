"""Who gets in, what they see, and how much they may do."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from api.auth.authentication import OPEN_ENDPOINTS
from api.settings import ApiSettings
from jobs.api_keys import KeyLimits, generate_api_key
from tests.api.client import ApiClient, client_of
from tests.api.conftest import ApiHarness

CATALOGUE = b"title,summary\nA,some words\n"


class Keyed:
    """A server that asks for keys, and people who have some."""

    def __init__(self, harness: ApiHarness, **settings: Any) -> None:
        self.harness = harness
        harness.settings = ApiSettings(auth="required", **settings)
        self.app = harness.app()

    def key(self, owner: str, *, is_admin: bool = False, **limits: int) -> str:
        key, kept = generate_api_key(owner, is_admin=is_admin, limits=KeyLimits(**limits))
        self.harness.keys.add(kept)
        return key

    def client(self, key: str | None) -> ApiClient:
        client: ApiClient = client_of(self.app)
        if key is not None:
            client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {key}"
        return client

    def person(self, owner: str, **options: Any) -> ApiClient:
        return self.client(self.key(owner, **options))


@pytest.fixture
def keyed(harness: ApiHarness) -> Keyed:
    return Keyed(harness)


def submit(client: ApiClient, **headers: str) -> str:
    answer = client.post("/v1/jobs", data=CATALOGUE, headers=headers)
    assert answer.status_code == 202, answer.text
    return str(answer.get_json()["id"])


def test_every_endpoint_but_the_open_ones_needs_a_key(keyed: Keyed) -> None:
    client = keyed.client(None)
    closed = 0
    for rule in keyed.app.url_map.iter_rules():
        if rule.endpoint in OPEN_ENDPOINTS:
            continue
        path = rule.rule.replace("<job_id>", f"job_{0:032x}").replace("<int:row>", "1")
        assert "<" not in path
        for method in rule.methods or ():
            answer = client.open(path, method=method)
            assert answer.status_code == 401, (method, path)
            closed += 1
    assert closed > 10


def test_what_is_open_is_the_page_the_description_and_the_probes(keyed: Keyed) -> None:
    client = keyed.client(None)
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
def test_without_a_good_key_nobody_gets_in(keyed: Keyed, authorization: str, code: str) -> None:
    answer = keyed.client(None).get("/v1/jobs", headers={"Authorization": authorization})
    assert (answer.status_code, answer.get_json()["code"]) == (401, code)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_key_with_the_right_beginning_and_a_wrong_end_is_refused(keyed: Keyed) -> None:
    key = keyed.key("anna")
    wrong = key[:-1] + ("0" if key[-1] != "0" else "1")
    assert keyed.client(key).get("/v1/jobs").status_code == 200
    assert keyed.client(wrong).get("/v1/jobs").get_json()["code"] == "INVALID_API_KEY"


def test_a_revoked_key_is_refused_from_the_next_request_on(keyed: Keyed) -> None:
    key = keyed.key("anna")
    client = keyed.client(key)
    assert client.get("/v1/jobs").status_code == 200
    keyed.harness.keys.revoke(key.rpartition("_")[0])
    assert client.get("/v1/jobs").get_json()["code"] == "INVALID_API_KEY"


def test_a_job_is_there_for_its_owner_alone(keyed: Keyed) -> None:
    anna, ben = keyed.person("anna"), keyed.person("ben")
    job_id = submit(anna)
    keyed.harness.label(job_id)
    keyed.harness.assemble(job_id)
    job = f"/v1/jobs/{job_id}"
    calls = [
        (rule.rule.replace("<job_id>", job_id).replace("<int:row>", "1"), method)
        for rule in keyed.app.url_map.iter_rules()
        if "<job_id>" in rule.rule
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    ]
    assert {(job, "GET"), (job, "DELETE"), (f"{job}/result", "GET")} <= set(calls)
    for path, method in calls:
        answer = ben.open(path, method=method, json={"genre": "horror"})
        assert answer.status_code == 404, (method, path, answer.text)
        assert answer.get_json()["code"] == "JOB_NOT_FOUND"
    assert anna.get(job).status_code == 200
    assert anna.get(f"{job}/result").status_code == 200
    assert "event: end" in anna.get(f"{job}/events").text
    assert anna.delete(job).status_code == 204


def test_others_jobs_answer_as_if_they_never_were(keyed: Keyed) -> None:
    job_id = submit(keyed.person("anna"))
    ben = keyed.person("ben")
    nobody = f"job_{uuid.uuid4().hex}"
    theirs, none = (ben.get(f"/v1/jobs/{name}").text for name in (job_id, nobody))
    assert theirs.replace(job_id, "ID") == none.replace(nobody, "ID")


def test_a_list_holds_the_callers_jobs_and_an_admins_list_all(keyed: Keyed) -> None:
    anna, ben, admin = keyed.person("anna"), keyed.person("ben"), keyed.person("c", is_admin=True)
    annas, bens = submit(anna), submit(ben)

    def listed(client: ApiClient, **query: str) -> list[str]:
        return [j["id"] for j in client.get("/v1/jobs", query_string=query).get_json()["jobs"]]

    assert [j["owner"] for j in admin.get("/v1/jobs").get_json()["jobs"]] == ["ben", "anna"]
    assert listed(anna) == [annas]
    assert listed(ben) == [bens]
    assert set(listed(admin)) == {annas, bens}
    assert anna.get("/v1/jobs", query_string={"after": bens}).get_json()["code"] == "INVALID_CURSOR"
    assert admin.get(f"/v1/jobs/{annas}").status_code == 200


def test_jobs_go_with_the_owner_not_with_the_key(keyed: Keyed) -> None:
    old, new = keyed.key("anna"), keyed.key("anna")
    job_id = submit(keyed.client(old))
    keyed.harness.keys.revoke(old.rpartition("_")[0])
    assert keyed.client(new).get(f"/v1/jobs/{job_id}").status_code == 200


def test_a_job_made_without_a_key_is_for_admins(harness: ApiHarness) -> None:
    job_id = harness.submit()
    keyed = Keyed(harness)
    assert keyed.person("anna").get(f"/v1/jobs/{job_id}").status_code == 404
    assert keyed.person("root", is_admin=True).get(f"/v1/jobs/{job_id}").status_code == 200


def test_two_owners_may_use_the_same_idempotency_key(keyed: Keyed) -> None:
    anna, ben = keyed.person("anna"), keyed.person("ben")
    first = submit(anna, **{"Idempotency-Key": "one"})
    other = submit(ben, **{"Idempotency-Key": "one"})
    assert first != other
    assert submit(anna, **{"Idempotency-Key": "one"}) == first


def test_a_browser_hands_its_key_in_once(keyed: Keyed) -> None:
    key, browser = keyed.key("anna"), keyed.client(None)
    assert browser.get("/v1/session").get_json() == {
        "keys_required": True,
        "signed_in": False,
        "owner": None,
        "admin": False,
    }
    answer = browser.post("/v1/session", json={"key": key})
    assert answer.get_json()["owner"] == "anna"
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "Secure" not in cookie  # this was http
    assert browser.get("/v1/jobs").status_code == 200
    assert browser.get("/v1/session").get_json()["signed_in"]
    assert browser.delete("/v1/session").status_code == 204
    assert browser.get("/v1/jobs").status_code == 401


def test_the_cookie_is_for_tls_alone_where_a_trusted_proxy_speaks_it(harness: ApiHarness) -> None:
    keyed = Keyed(harness, trusted_proxies=1)
    answer = keyed.client(None).post(
        "/v1/session",
        json={"key": keyed.key("anna")},
        headers={"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7"},
    )
    assert "Secure" in answer.headers["Set-Cookie"]


def test_a_wrong_key_begins_no_session(keyed: Keyed) -> None:
    answer = keyed.client(None).post("/v1/session", json={"key": "wrong"})
    assert (answer.status_code, answer.get_json()["code"]) == (401, "INVALID_API_KEY")
    assert "Set-Cookie" not in answer.headers


def test_a_key_that_does_not_fit_is_not_repeated_in_the_answer(keyed: Keyed) -> None:
    key = keyed.key("anna")
    secret = key.rpartition("_")[2]
    for body in ({"key": key * 9}, {"key": [key]}, {"key": {key: key}}):
        answer = keyed.client(None).post("/v1/session", json=body)
        assert answer.status_code == 400
        assert secret[:8] not in answer.text


def test_another_sites_page_cannot_use_the_browsers_cookie(keyed: Keyed) -> None:
    browser = keyed.client(None)
    browser.post("/v1/session", json={"key": keyed.key("anna")})
    for site in ("cross-site", "same-site"):
        answer = browser.post("/v1/jobs", data=CATALOGUE, headers={"Sec-Fetch-Site": site})
        assert (answer.status_code, answer.get_json()["code"]) == (403, "CROSS_SITE")


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
CHANGES = [
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


def changed(client: ApiClient, job_id: str, **headers: str) -> list[str | None]:
    """The codes with which requests that change something are refused."""
    answers = [
        client.open(
            path.format(job=job_id), method=method, headers={"Host": "localhost:8000"} | headers
        )
        for method, path in CHANGES
    ]
    return [(answer.get_json(silent=True) or {}).get("code") for answer in answers]


@pytest.mark.parametrize("origin", FOREIGN_ORIGINS)
def test_no_other_origin_changes_anything_in_browsers_that_say_no_more(
    harness: ApiHarness, keyed: Keyed, origin: str
) -> None:
    job_id = submit(keyed.person("anna"))
    browser = keyed.client(None)
    browser.post("/v1/session", json={"key": keyed.key("anna")})
    assert set(changed(browser, job_id, Origin=origin)) == {"CROSS_SITE"}
    harness.settings = replace_auth(harness.settings)
    assert set(changed(harness.client(), job_id, Origin=origin)) == {"CROSS_SITE"}
    assert browser.get("/v1/jobs", headers={"Origin": origin}).status_code == 200


def test_every_route_that_changes_something_is_looked_at(keyed: Keyed) -> None:
    rules = {
        (method, rule.rule.replace("<job_id>", "{job}").replace("<int:row>", "1"))
        for rule in keyed.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"GET", "HEAD", "OPTIONS"}
    }
    assert rules == set(CHANGES)


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
def test_the_servers_own_page_may_change_things(client: ApiClient, host: str, origin: str) -> None:
    submit(client, Host=host, Origin=origin)


def test_behind_a_proxy_the_origin_is_the_one_that_the_browser_sees(harness: ApiHarness) -> None:
    anna = Keyed(harness, trusted_proxies=1).person("anna")
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
        answer = anna.post("/v1/jobs", data=CATALOGUE, headers=headers)
        assert answer.get_json()["code"] == "CROSS_SITE"
        assert "Host header" in answer.get_json()["detail"]


FORWARDED = [
    "X-Forwarded-For",
    "x-forwarded-proto",
    "X-Forwarded-Host",
    "X-Forwarded-Anything",
    "Forwarded",
    "Via",
    "X-Real-IP",
]


@pytest.mark.parametrize("name", FORWARDED)
def test_without_keys_what_a_proxy_passes_on_is_refused(client: ApiClient, name: str) -> None:
    for method, path in (
        ("GET", "/v1/jobs"),
        ("POST", "/v1/jobs"),
        ("GET", "/"),
        ("GET", "/metrics"),
    ):
        answer = client.open(path, method=method, headers={name: "203.0.113.9"})
        assert (answer.status_code, answer.get_json()["code"]) == (421, "PROXY_WITHOUT_KEYS")
        assert "SPINELABEL_TRUSTED_PROXIES" in answer.get_json()["detail"]
    assert client.get("/healthz", headers={name: "203.0.113.9"}).status_code == 200
    assert client.get("/readyz", headers={name: "203.0.113.9"}).status_code == 503  # no worker here


@pytest.mark.parametrize("name", FORWARDED)
def test_with_keys_what_a_proxy_passes_on_is_served(keyed: Keyed, name: str) -> None:
    assert keyed.person("anna").get("/v1/jobs", headers={name: "a"}).status_code == 200


def test_a_file_over_the_keys_limit_is_too_large(keyed: Keyed) -> None:
    client = keyed.person("anna", upload_bytes=20)
    answer = client.post("/v1/jobs", data=CATALOGUE)
    assert (answer.status_code, answer.get_json()["code"]) == (413, "FILE_TOO_LARGE")
    submit(keyed.person("ben"))


def test_no_more_jobs_are_taken_than_may_be_open(keyed: Keyed) -> None:
    anna = keyed.person("anna", open_jobs=1)
    job_id = submit(anna, **{"Idempotency-Key": "one"})
    kept = keyed.harness.storage.names("")
    answer = anna.post("/v1/jobs", data=CATALOGUE)
    assert (answer.status_code, answer.get_json()["code"]) == (429, "TOO_MANY_OPEN_JOBS")
    assert int(answer.headers["Retry-After"]) > 0
    assert keyed.harness.storage.names("") == kept
    assert submit(anna, **{"Idempotency-Key": "one"}) == job_id  # makes none
    anna.post(f"/v1/jobs/{job_id}/cancel")
    keyed.harness.assemble(job_id)
    submit(anna)


def test_a_job_too_many_is_refused_before_its_file_is_read(keyed: Keyed) -> None:
    anna = keyed.person("anna", open_jobs=1)
    submit(anna)
    cut_off = {"CONTENT_LENGTH": "1000000"}
    answer = anna.post("/v1/jobs", data=CATALOGUE, environ_overrides=cut_off)
    assert answer.get_json()["code"] == "TOO_MANY_OPEN_JOBS"


def test_requests_beyond_the_keys_limit_are_put_off(keyed: Keyed) -> None:
    anna, ben = keyed.person("anna", requests_per_minute=2), keyed.person("ben")
    first = anna.get("/v1/jobs")
    assert "Retry-After" not in first.headers
    assert [anna.get("/v1/jobs").status_code for _ in range(2)] == [200, 429]
    answer = anna.get("/v1/jobs")
    assert answer.get_json()["code"] == "TOO_MANY_REQUESTS"
    assert 0 < int(answer.headers["Retry-After"]) <= 61
    assert ben.get("/v1/jobs").status_code == 200
    assert anna.get("/healthz").status_code == anna.get("/").status_code == 200


def test_the_server_may_say_how_many_requests_a_key_has(harness: ApiHarness) -> None:
    anna = Keyed(harness, requests_per_minute=1).person("anna")
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
def test_keys_are_required_unless_only_this_machine_can_connect(
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
def test_without_keys_the_server_has_no_other_name(client: ApiClient, host: str) -> None:
    answer = client.get("/v1/jobs", headers={"Host": host})
    assert (answer.status_code, answer.get_json()["code"]) == (421, "HOST_NOT_ALLOWED")
    assert client.get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1:8000", "[::1]:8000"])
def test_without_keys_loopback_names_are_served(client: ApiClient, host: str) -> None:
    assert client.get("/v1/jobs", headers={"Host": host}).status_code == 200


def test_with_keys_any_name_is_served(keyed: Keyed) -> None:
    answer = keyed.person("anna").get("/v1/jobs", headers={"Host": "books.example"})
    assert answer.status_code == 200


def test_without_keys_everybody_at_this_machine_sees_every_job(harness: ApiHarness) -> None:
    keyed = Keyed(harness)
    job_id = submit(keyed.person("anna"))
    harness.settings = replace_auth(harness.settings)
    client = harness.client()
    assert client.get(f"/v1/jobs/{job_id}").status_code == 200
    assert client.get("/v1/session").get_json()["signed_in"]


def replace_auth(settings: ApiSettings) -> ApiSettings:
    return settings.model_copy(update={"auth": "off"})


def test_over_tls_browsers_are_told_to_stay_with_it(harness: ApiHarness) -> None:
    client = Keyed(harness, trusted_proxies=1).client(None)
    over_tls = client.get("/", headers={"X-Forwarded-Proto": "https"}).headers
    assert over_tls["Strict-Transport-Security"] == "max-age=31536000"
    assert "Strict-Transport-Security" not in client.get("/").headers
