"""An API that requires keys, and its clients."""

from __future__ import annotations

from typing import Any

from api.settings import ApiSettings
from jobs.api_keys import KeyLimits, generate_api_key
from tests.api.client import ApiClient, client_of
from tests.api.conftest import ApiHarness

CATALOGUE = b"title,summary\nA,some words\n"


class KeyedApi:
    """An API that requires keys, and clients with keys."""

    def __init__(self, harness: ApiHarness, **settings: Any) -> None:
        self.harness = harness
        harness.settings = ApiSettings(auth="required", **settings)
        self.app = harness.app()

    def new_key(self, owner: str, *, is_admin: bool = False, **limits: int) -> str:
        key, stored_key = generate_api_key(owner, is_admin=is_admin, limits=KeyLimits(**limits))
        self.harness.keys.add(stored_key)
        return key

    def client(self, key: str | None) -> ApiClient:
        client: ApiClient = client_of(self.app)
        if key is not None:
            client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {key}"
        return client

    def client_for(self, owner: str, **options: Any) -> ApiClient:
        return self.client(self.new_key(owner, **options))


def submit(client: ApiClient, **headers: str) -> str:
    response = client.post("/v1/jobs", data=CATALOGUE, headers=headers)
    assert response.status_code == 202, response.text
    return str(response.get_json()["id"])
