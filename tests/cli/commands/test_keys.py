"""API keys on the command line: create, use, list and revoke, with a real Redis and a real API."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.conftest import ApiProcess
from tests.cli.program import run
from tests.stack import ROOT

KEY = re.compile(r"sl_[0-9a-f]{12}_[0-9a-f]{64}\n")


@pytest.fixture
def server(tmp_path: Path, redis_url: str) -> Iterator[ApiProcess]:
    """An API that requires keys."""
    api = ApiProcess(
        tmp_path / "api", {"SPINELABEL_REDIS_URL": redis_url, "SPINELABEL_AUTH": "required"}
    )
    yield api
    api.stop()


def keys(*arguments: str, folder: Path, redis_url: str) -> tuple[int, str, str]:
    return run("keys", *arguments, folder=folder, SPINELABEL_REDIS_URL=redis_url)


def test_a_key_is_created_used_listed_and_revoked(
    server: ApiProcess, tmp_path: Path, redis_url: str
) -> None:
    code, key, error = keys("create", "--owner", "anna", folder=tmp_path, redis_url=redis_url)
    assert code == 0
    assert KEY.fullmatch(key)
    assert "not shown again" in error
    settings = {"SPINELABEL_SERVER": server.url, "SPINELABEL_API_KEY": key.strip()}
    assert run("jobs", folder=tmp_path, **settings)[0] == 0
    key_id = key.rpartition("_")[0]
    code, listed, _ = keys("list", folder=tmp_path, redis_url=redis_url)
    assert (code, key.strip() in listed) == (0, False)
    assert re.match(rf"{key_id}  anna  user  made \S+  in force\n", listed)
    assert keys("revoke", key_id, folder=tmp_path, redis_url=redis_url)[0] == 0
    code, _, error = run("jobs", folder=tmp_path, **settings)
    assert (code, "revoked" in error) == (2, True)
    assert "revoked 20" in keys("list", folder=tmp_path, redis_url=redis_url)[1]


def test_a_command_without_a_key_explains_what_to_do(server: ApiProcess, tmp_path: Path) -> None:
    code, _, error = run("jobs", "--server", server.url, folder=tmp_path)
    assert (code, "requires an API key" in error) == (2, True)


def test_a_key_as_json_has_its_limits(tmp_path: Path, redis_url: str) -> None:
    arguments = ["create", "--owner", "a", "--admin", "--max-open-jobs", "3", "--json"]
    code, out, _ = keys(*arguments, folder=tmp_path, redis_url=redis_url)
    created = json.loads(out)
    assert (code, created["admin"], created["limits"]["open_jobs"]) == (0, True, 3)
    assert created["key"].startswith(created["id"])
    (listed,) = json.loads(keys("list", "--json", folder=tmp_path, redis_url=redis_url)[1])
    revoked = keys("revoke", created["id"], "--json", folder=tmp_path, redis_url=redis_url)[1]
    assert json.loads(revoked)["revoked_at"] is not None
    assert listed == {name: value for name, value in created.items() if name != "key"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["create", "--owner", "No Name"], "cannot be an owner's name"),
        (["revoke", "sl_000000000000"], "There is no key"),
        (["create", "--owner", "a", "--max-open-jobs", "0"], "--max-open-jobs"),
    ],
)
def test_invalid_arguments_give_exit_code_2_and_a_message(
    arguments: list[str], message: str, tmp_path: Path, redis_url: str
) -> None:
    code, out, error = keys(*arguments, folder=tmp_path, redis_url=redis_url)
    assert (code, out) == (2, "")
    assert message in error


def test_without_a_stack_the_error_names_the_redis_option(tmp_path: Path) -> None:
    code, _, error = run("keys", "list", folder=tmp_path)
    assert (code, "--redis-url" in error) == (3, True)


def test_an_unreachable_redis_gives_exit_code_3(tmp_path: Path) -> None:
    unreachable = f"unix://{tmp_path}/none.sock"
    code, _, error = keys("list", folder=tmp_path, redis_url=unreachable)
    assert (code, "Redis cannot be reached" in error) == (3, True)


def test_an_invalid_setting_is_named_by_the_container_program(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "api.keys", "list"],
        env=os.environ | {"SPINELABEL_REDIS_URL": "ftp://nowhere", "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 2
    assert result.stderr.startswith("SPINELABEL_REDIS_URL: ")
