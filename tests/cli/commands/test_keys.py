"""API keys at the command line: made, used, listed and revoked, with a real Redis and a real API."""

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
from tests.cli.commands.test_commands import run
from tests.stack import ROOT

KEY = re.compile(r"sl_[0-9a-f]{12}_[0-9a-f]{64}\n")


@pytest.fixture
def server(tmp_path: Path, redis_url: str) -> Iterator[ApiProcess]:
    """An API that asks for keys."""
    api = ApiProcess(
        tmp_path / "api", {"SPINELABEL_REDIS_URL": redis_url, "SPINELABEL_AUTH": "required"}
    )
    yield api
    api.stop()


def keys(*words: str, folder: Path, redis_url: str) -> tuple[int, str, str]:
    return run("keys", *words, folder=folder, SPINELABEL_REDIS_URL=redis_url)


def test_a_key_is_made_used_listed_and_revoked(
    server: ApiProcess, tmp_path: Path, redis_url: str
) -> None:
    code, key, told = keys("create", "--owner", "anna", folder=tmp_path, redis_url=redis_url)
    assert code == 0
    assert KEY.fullmatch(key)
    assert "not shown again" in told
    there = {"SPINELABEL_SERVER": server.url, "SPINELABEL_API_KEY": key.strip()}
    assert run("jobs", folder=tmp_path, **there)[0] == 0
    key_id = key.rpartition("_")[0]
    code, listed, _ = keys("list", folder=tmp_path, redis_url=redis_url)
    assert (code, key.strip() in listed) == (0, False)
    assert re.match(rf"{key_id}  anna  user  made \S+  in force\n", listed)
    assert keys("revoke", key_id, folder=tmp_path, redis_url=redis_url)[0] == 0
    code, _, error = run("jobs", folder=tmp_path, **there)
    assert (code, "revoked" in error) == (2, True)
    assert "revoked 20" in keys("list", folder=tmp_path, redis_url=redis_url)[1]


def test_without_a_key_a_command_says_what_to_do(server: ApiProcess, tmp_path: Path) -> None:
    code, _, error = run("jobs", "--server", server.url, folder=tmp_path)
    assert (code, "requires an API key" in error) == (2, True)


def test_a_key_as_json_holds_its_limits(tmp_path: Path, redis_url: str) -> None:
    words = ["create", "--owner", "a", "--admin", "--max-open-jobs", "3", "--json"]
    code, out, _ = keys(*words, folder=tmp_path, redis_url=redis_url)
    made = json.loads(out)
    assert (code, made["admin"], made["limits"]["open_jobs"]) == (0, True, 3)
    assert made["key"].startswith(made["id"])
    (listed,) = json.loads(keys("list", "--json", folder=tmp_path, redis_url=redis_url)[1])
    revoked = keys("revoke", made["id"], "--json", folder=tmp_path, redis_url=redis_url)[1]
    assert json.loads(revoked)["revoked_at"] is not None
    assert listed == {name: value for name, value in made.items() if name != "key"}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["create", "--owner", "No Name"], "cannot be an owner's name"),
        (["revoke", "sl_000000000000"], "There is no key"),
        (["create", "--owner", "a", "--max-open-jobs", "0"], "--max-open-jobs"),
    ],
)
def test_what_cannot_be_done_is_exit_code_2_and_a_sentence(
    words: list[str], sentence: str, tmp_path: Path, redis_url: str
) -> None:
    code, out, error = keys(*words, folder=tmp_path, redis_url=redis_url)
    assert (code, out) == (2, "")
    assert sentence in error


def test_without_a_stack_or_a_redis_it_says_how_to_name_one(tmp_path: Path) -> None:
    code, _, error = run("keys", "list", folder=tmp_path)
    assert (code, "--redis-url" in error) == (3, True)


def test_a_redis_that_does_not_answer_is_exit_code_3(tmp_path: Path) -> None:
    gone = f"unix://{tmp_path}/none.sock"
    code, _, error = keys("list", folder=tmp_path, redis_url=gone)
    assert (code, "Redis cannot be reached" in error) == (3, True)


def test_a_wrong_setting_is_named_by_the_program_in_a_container(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "api.keys", "list"],
        env=os.environ | {"SPINELABEL_REDIS_URL": "ftp://nowhere", "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("SPINELABEL_REDIS_URL: ")
