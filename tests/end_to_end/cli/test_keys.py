"""`spinelabel keys` on the laptop stack that runs."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.stack import ROOT, Stack


def test_keys_are_made_in_the_stack_that_runs_on_the_data_folder(stack: Stack) -> None:
    def keys(*words: str) -> str:
        command = [sys.executable, "-m", "cli", "keys", "--data-dir", str(stack.data_dir), *words]
        return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout

    made = json.loads(keys("create", "--owner", "anna", "--json"))
    assert [key["id"] for key in json.loads(keys("list", "--json"))] == [made["id"]]
    assert made["id"] in keys("revoke", made["id"])
