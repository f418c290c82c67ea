"""`spinelabel keys` with a running stack."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.stack import ROOT, Stack


def test_keys_are_created_in_the_stack_of_the_data_folder(stack: Stack) -> None:
    def keys(*arguments: str) -> str:
        command = [
            sys.executable,
            "-m",
            "cli",
            "keys",
            "--data-dir",
            str(stack.data_dir),
            *arguments,
        ]
        return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout

    created = json.loads(keys("create", "--owner", "anna", "--json"))
    assert [key["id"] for key in json.loads(keys("list", "--json"))] == [created["id"]]
    assert created["id"] in keys("revoke", created["id"])
