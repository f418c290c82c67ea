"""The Redis password is read from a file; a missing or invalid file is a settings error."""

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


def settings_error(monkeypatch: pytest.MonkeyPatch, **environment: str) -> str:
    with pytest.raises(ValidationError) as caught:
        settings(monkeypatch, **environment)
    return str(caught.value)


def test_without_a_password_file_the_url_is_used_unchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings(monkeypatch, redis_url=URL).redis_url == URL


def test_store_and_broker_use_the_password_from_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    loaded = settings(
        monkeypatch, redis_url=URL, redis_password_file=secret(tmp_path, "p@ss/word:1\n")
    )
    assert loaded.redis_url == "redis://:p%40ss%2Fword%3A1@redis:6379/0"
    assert loaded.broker_url == loaded.redis_url


def test_the_user_of_the_url_is_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    loaded = settings(
        monkeypatch,
        redis_url="rediss://labeller@redis:6379/0",
        redis_password_file=secret(tmp_path, "word"),
    )
    assert loaded.redis_url == "rediss://labeller:word@redis:6379/0"


def test_the_default_url_gets_the_password(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    loaded = settings(monkeypatch, redis_password_file=secret(tmp_path, "word"))
    assert loaded.redis_url == "redis://:word@127.0.0.1:6379/0"


def test_a_missing_password_file_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    error = settings_error(
        monkeypatch, redis_url=URL, redis_password_file=str(tmp_path / "missing")
    )
    assert "redis_password_file" in error
    assert "there is no such file" in error


@pytest.mark.parametrize("text", ["", "\n", "two words\n", "two\nlines\n", " padded\n"])
def test_a_password_file_that_is_not_one_word_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str
) -> None:
    error = settings_error(monkeypatch, redis_url=URL, redis_password_file=secret(tmp_path, text))
    assert "one word on one line" in error


def test_a_password_in_the_url_and_in_a_file_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    error = settings_error(
        monkeypatch,
        redis_url="redis://:other@redis:6379/0",
        redis_password_file=secret(tmp_path, "word"),
    )
    assert "keep one of them" in error


def test_a_password_file_for_a_unix_socket_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    error = settings_error(
        monkeypatch,
        redis_url="unix:///run/redis.sock",
        redis_password_file=secret(tmp_path, "word"),
    )
    assert "redis:// or rediss://" in error
