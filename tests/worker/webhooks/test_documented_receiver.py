"""The receiver in docs/webhooks.md works as documented."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jobs.ports.webhooks import new_secret
from worker.webhooks.payload import signed_headers

PAGE = Path(__file__).parents[3] / "docs" / "webhooks.md"
BODY = b'{"type": "job.completed", "data": {"id": "job_1", "state": "completed"}}'


@pytest.fixture
def receive() -> Callable[..., int]:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    namespace: dict[str, Any] = {}
    exec(code, namespace)  # noqa: S102  # the project's own page
    receiver: Callable[..., int] = namespace["receive"]
    return receiver


def test_it_processes_a_message_once_and_refuses_a_forged_one(
    receive: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    secret, seen = new_secret(), set[str]()
    headers = signed_headers("msg_job_1", BODY, secrets=[secret], at=int(time.time()))
    assert receive(secret, BODY, headers, seen) == 204
    assert receive(secret, BODY, headers, seen) == 204
    assert capsys.readouterr().out == "job_1 is completed\n"
    assert receive(new_secret(), BODY, headers, seen) == 401
    assert receive(secret, BODY.replace(b"completed", b"failed"), headers, seen) == 401


def test_it_refuses_an_old_message(receive: Callable[..., int]) -> None:
    secret = new_secret()
    headers = signed_headers("msg_job_1", BODY, secrets=[secret], at=int(time.time()) - 86_400)
    assert receive(secret, BODY, headers, set()) == 401
