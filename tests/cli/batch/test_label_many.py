"""Several catalogues at once, and standard input: output, files and exit codes."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.fake_api import FakeApi, job_document
from tests.cli.program import RESULT, run, start
from tests.stack import ROOT
from tests.waiting import WITHIN_S, eventually

FAILED = {"code": "NO_ROWS", "message": "The file has a header but no rows."}


@pytest.fixture
def catalogues(tmp_path: Path, api: FakeApi) -> list[str]:
    api.result = RESULT
    names = ["a.csv", "b.csv", "c.csv"]
    for name in names:
        (tmp_path / name).write_text(f"title,summary\n{name},words\n")
    return names


def uploaded_names(api: FakeApi) -> list[str]:
    return [query["filename"][0] for query, _ in api.uploads]


def test_every_file_is_labelled_and_the_results_are_printed_in_order(
    api: FakeApi, catalogues: list[str], tmp_path: Path
) -> None:
    code, out, err = run("label", "*.csv", "--server", api.url, folder=tmp_path)
    assert (code, err) == (0, "")
    assert out.splitlines() == ["a.labelled.csv", "b.labelled.csv", "c.labelled.csv"]
    assert uploaded_names(api) == catalogues
    assert all((tmp_path / name).read_bytes() == RESULT for name in out.splitlines())


def test_warnings_of_several_files_name_the_file(
    api: FakeApi, catalogues: list[str], tmp_path: Path
) -> None:
    warning = {"code": "UNSUPPORTED_LANGUAGE", "message": "2 rows are not in English.", "rows": 2}
    api.documents_by_filename["b.csv"] = [job_document(warnings=[warning])]
    code, _, err = run("label", *catalogues, "--server", api.url, folder=tmp_path)
    assert (code, err) == (0, "Warning: b.csv: 2 rows are not in English.\n")


def test_a_failed_file_does_not_stop_the_others_and_sets_the_exit_code(
    api: FakeApi, catalogues: list[str], tmp_path: Path
) -> None:
    api.documents_by_filename["b.csv"] = [job_document(state="failed", error=FAILED)]
    code, out, err = run("label", *catalogues, "--server", api.url, folder=tmp_path)
    assert code == 1
    assert out.splitlines() == ["a.labelled.csv", "c.labelled.csv"]
    assert "Error: b.csv: The job job_2 failed: The file has a header but no rows." in err
    assert "2 of 3 catalogues labelled." in err
    code, out, err = run("label", "none.csv", *catalogues, "--server", api.url, folder=tmp_path)
    assert code == 2  # the highest of all
    assert "Error: none.csv: There is no file none.csv." in err
    assert len(out.splitlines()) == 2


def test_jobs_at_once_limits_the_open_jobs(
    api: FakeApi, catalogues: list[str], tmp_path: Path
) -> None:
    api.documents = [job_document(state="in_progress"), job_document()]
    api.max_open = 2  # a third would be refused
    bound = ("--jobs-at-once", "2")
    code, _, err = run("label", *catalogues, *bound, "--server", api.url, folder=tmp_path)
    assert (code, err) == (0, "")


def test_at_the_servers_limit_the_next_file_waits_for_a_job_to_end(
    api: FakeApi, catalogues: list[str], tmp_path: Path
) -> None:
    api.documents = [job_document(state="in_progress"), job_document()]
    api.max_open = 1
    code, out, err = run("label", *catalogues, "--server", api.url, folder=tmp_path)
    assert (code, len(out.splitlines()), err) == (0, 3, "")


@pytest.mark.usefixtures("catalogues")
def test_a_refusal_without_an_own_open_job_is_final(api: FakeApi, tmp_path: Path) -> None:
    api.max_open = 0
    code, out, err = run("label", "a.csv", "--server", api.url, folder=tmp_path)
    assert (code, out) == (2, "")
    assert "The limit of open jobs is reached." in err


def test_json_output_has_files_results_and_jobs(
    api: FakeApi, catalogues: list[str], tmp_path: Path
) -> None:
    api.documents_by_filename["b.csv"] = [job_document(state="failed", error=FAILED)]
    code, out, _ = run("label", *catalogues, "--json", "--server", api.url, folder=tmp_path)
    entries = json.loads(out)
    assert code == 1
    assert [entry["file"] for entry in entries] == catalogues
    assert [entry["output"] for entry in entries] == ["a.labelled.csv", None, "c.labelled.csv"]
    assert [entry["error"] is None for entry in entries] == [True, False, True]
    assert [entry["job"]["id"] for entry in entries] == ["job_1", "job_2", "job_3"]


def test_standard_input_is_labelled_to_standard_output(api: FakeApi, tmp_path: Path) -> None:
    api.result = RESULT
    result = subprocess.run(
        [sys.executable, "-m", "cli", "label", "-", "--server", api.url],
        input=b"title,summary\nA,\xff\r\n",
        env=os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        timeout=WITHIN_S,
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, RESULT, b"")
    assert api.uploads == [({"filename": ["stdin.csv"]}, b"title,summary\nA,\xff\r\n")]
    assert list(tmp_path.iterdir()) == []  # the temporary files are deleted


@pytest.mark.usefixtures("catalogues")
def test_a_result_may_go_to_standard_output(api: FakeApi, tmp_path: Path) -> None:
    code, out, _ = run("label", "a.csv", "-o", "-", "--server", api.url, folder=tmp_path)
    assert (code, out.encode()) == (0, RESULT)
    code, *_ = run("label", "a.csv", "-o", "-", "--json", "--server", api.url, folder=tmp_path)
    assert code == 2


def test_repeating_the_command_after_ctrl_c_waits_for_the_same_jobs(
    api: FakeApi, catalogues: list[str], tmp_path: Path
) -> None:
    api.documents = [job_document(state="in_progress")]
    process = start("label", *catalogues, "--server", api.url, folder=tmp_path)
    eventually(lambda: sum(job.polls > 0 for job in list(api.jobs.values())) == 3)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=WITHIN_S)
    assert (process.returncode, out) == (130, "")
    assert f"Interrupted here; 3 jobs continue at {api.url}:" in err
    assert f"spinelabel cancel job_1 job_2 job_3 --server {api.url}" in err
    for job in api.jobs.values():
        job.documents = [job_document()]
    code, out, _ = run("label", *catalogues, "--server", api.url, folder=tmp_path)
    assert (code, len(out.splitlines())) == (0, 3)
    assert len(api.uploads) == 3


def test_a_terminal_shows_a_line_and_the_outcome_of_each_file(
    api: FakeApi, catalogues: list[str], tmp_path: Path
) -> None:
    api.documents = [job_document(state="in_progress"), job_document()]
    our_end, their_end = pty.openpty()
    with os.fdopen(our_end, "rb", buffering=0) as screen:
        process = subprocess.Popen(
            [sys.executable, "-m", "cli", "label", *catalogues, "--server", api.url],
            env=os.environ | {"PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "120"},
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=their_end,
        )
        os.close(their_end)
        output = b""
        try:
            while piece := screen.read(4096):
                output += piece
        except OSError:  # Linux: the other end is closed
            pass
        out, _ = process.communicate(timeout=WITHIN_S)
        assert (process.returncode, len(out.splitlines())) == (0, 3)
    text = output.decode()
    assert "b.csv  labelling" in text
    assert "c.csv: 10 rows: 8 labelled, 2 with an error, 1 to review" in text
