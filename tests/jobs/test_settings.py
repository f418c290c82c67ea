"""The password of Redis comes from a file; a wrong or missing file stops the start with a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from jobs.settings import JobSettings

URL = "redis://redis:6379/0"


def secret(folder: Path, text: str) -> str:
    path = folder / "redis_password"
    path.write_text(text, "utf-8")
    return str(path)


def settings(monkeypatch: pytest.MonkeyPatch, **environment: str) -> JobSettings:
    for name, value in environment.items():
        monkeypatch.setenv(f"SPINELABEL_{name.upper()}", value)
    return JobSettings()


def problem(monkeypatch: pytest.MonkeyPatch, **environment: str) -> str:
    with pytest.raises(ValidationError) as caught:
        settings(monkeypatch, **environment)
    return str(caught.value)


def test_without_a_file_the_url_is_used_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings(monkeypatch, redis_url=URL).redis_url == URL


def test_store_and_broker_both_use_the_password_of_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = settings(
        monkeypatch, redis_url=URL, redis_password_file=secret(tmp_path, "p@ss/word:1\n")
    )
    assert found.redis_url == "redis://:p%40ss%2Fword%3A1@redis:6379/0"
    assert found.broker_url == found.redis_url


def test_the_user_of_the_url_is_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = settings(
        monkeypatch,
        redis_url="rediss://labeller@redis:6379/0",
        redis_password_file=secret(tmp_path, "word"),
    )
    assert found.redis_url == "rediss://labeller:word@redis:6379/0"


def test_the_default_url_takes_the_password_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = settings(monkeypatch, redis_password_file=secret(tmp_path, "word"))
    assert found.redis_url == "redis://:word@127.0.0.1:6379/0"


def test_a_missing_file_stops_the_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    said = problem(monkeypatch, redis_url=URL, redis_password_file=str(tmp_path / "nowhere"))
    assert "redis_password_file" in said
    assert "there is no such file" in said


@pytest.mark.parametrize("text", ["", "\n", "two words\n", "two\nlines\n", " padded\n"])
def test_a_file_that_is_not_one_word_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str
) -> None:
    said = problem(monkeypatch, redis_url=URL, redis_password_file=secret(tmp_path, text))
    assert "one word on one line" in said


def test_two_passwords_stop_the_start_and_neither_is_chosen(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    said = problem(
        monkeypatch,
        redis_url="redis://:other@redis:6379/0",
        redis_password_file=secret(tmp_path, "word"),
    )
    assert "keep one of the two" in said


def test_a_unix_socket_takes_no_password_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    said = problem(
        monkeypatch,
        redis_url="unix:///run/redis.sock",
        redis_password_file=secret(tmp_path, "word"),
    )
    assert "redis:// or rediss://" in said
