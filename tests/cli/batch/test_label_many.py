"""Several catalogues at once, and standard input: what is printed, what is left, and with which exit code."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.commands.test_commands import RESULT, run, start
from tests.cli.fake_api import FakeApi, job_document
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


def names_uploaded(api: FakeApi) -> list[str]:
    return [query["filename"][0] for query, _ in api.uploads]


def test_every_file_is_labelled_and_its_result_named_in_order(
    api: FakeApi, catalogues: list[str], tmp_path: Path
) -> None:
    code, out, err = run("label", "*.csv", "--server", api.url, folder=tmp_path)
    assert (code, err) == (0, "")
    assert out.splitlines() == ["a.labelled.csv", "b.labelled.csv", "c.labelled.csv"]
    assert names_uploaded(api) == catalogues
    assert all((tmp_path / name).read_bytes() == RESULT for name in out.splitlines())


def test_a_warning_names_the_file_where_there_are_several(
    api: FakeApi, catalogues: list[str], tmp_path: Path
) -> None:
    warning = {"code": "UNSUPPORTED_LANGUAGE", "message": "2 rows are not in English.", "rows": 2}
    api.fates["b.csv"] = [job_document(warnings=[warning])]
    code, _, err = run("label", *catalogues, "--server", api.url, folder=tmp_path)
    assert (code, err) == (0, "Warning: b.csv: 2 rows are not in English.\n")


def test_one_that_fails_does_not_keep_the_others_and_gives_its_exit_code(
    api: FakeApi, catalogues: list[str], tmp_path: Path
) -> None:
    api.fates["b.csv"] = [job_document(state="failed", error=FAILED)]
    code, out, err = run("label", *catalogues, "--server", api.url, folder=tmp_path)
    assert code == 1
    assert out.splitlines() == ["a.labelled.csv", "c.labelled.csv"]
    assert "Error: b.csv: The job job_2 failed: The file has a header but no rows." in err
    assert "2 of 3 catalogues labelled." in err
    code, out, err = run("label", "none.csv", *catalogues, "--server", api.url, folder=tmp_path)
    assert code == 2  # the highest
    assert "Error: none.csv: There is no file none.csv." in err
    assert len(out.splitlines()) == 2


def test_no_more_jobs_than_allowed_are_under_way(
    api: FakeApi, catalogues: list[str], tmp_path: Path
) -> None:
    api.documents = [job_document(state="in_progress"), job_document()]
    api.max_open = 2  # a third would be refused
    bound = ("--jobs-at-once", "2")
    code, _, err = run("label", *catalogues, *bound, "--server", api.url, folder=tmp_path)
    assert (code, err) == (0, "")


def test_where_the_server_takes_no_more_the_next_waits_for_one_to_end(
    api: FakeApi, catalogues: list[str], tmp_path: Path
) -> None:
    api.documents = [job_document(state="in_progress"), job_document()]
    api.max_open = 1
    code, out, err = run("label", *catalogues, "--server", api.url, folder=tmp_path)
    assert (code, len(out.splitlines()), err) == (0, 3, "")


@pytest.mark.usefixtures("catalogues")
def test_a_server_that_refuses_everything_is_asked_once(api: FakeApi, tmp_path: Path) -> None:
    api.max_open = 0
    code, out, err = run("label", "a.csv", "--server", api.url, folder=tmp_path)
    assert (code, out) == (2, "")
    assert "As many jobs as allowed are under way." in err


def test_a_program_reads_files_results_and_jobs_as_json(
    api: FakeApi, catalogues: list[str], tmp_path: Path
) -> None:
    api.fates["b.csv"] = [job_document(state="failed", error=FAILED)]
    code, out, _ = run("label", *catalogues, "--json", "--server", api.url, folder=tmp_path)
    found = json.loads(out)
    assert code == 1
    assert [entry["file"] for entry in found] == catalogues
    assert [entry["output"] for entry in found] == ["a.labelled.csv", None, "c.labelled.csv"]
    assert [entry["error"] is None for entry in found] == [True, False, True]
    assert [entry["job"]["id"] for entry in found] == ["job_1", "job_2", "job_3"]


def test_standard_input_comes_back_labelled_on_standard_output(
    api: FakeApi, tmp_path: Path
) -> None:
    api.result = RESULT
    done = subprocess.run(
        [sys.executable, "-m", "cli", "label", "-", "--server", api.url],
        input=b"title,summary\nA,\xff\r\n",
        env=os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        timeout=WITHIN_S,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, RESULT, b"")
    assert api.uploads == [({"filename": ["stdin.csv"]}, b"title,summary\nA,\xff\r\n")]
    assert list(tmp_path.iterdir()) == []  # the temporary files are gone


@pytest.mark.usefixtures("catalogues")
def test_a_file_may_go_to_standard_output_too(api: FakeApi, tmp_path: Path) -> None:
    code, out, _ = run("label", "a.csv", "-o", "-", "--server", api.url, folder=tmp_path)
    assert (code, out.encode()) == (0, RESULT)
    refused = run("label", "a.csv", "-o", "-", "--json", "--server", api.url, folder=tmp_path)
    assert refused[0] == 2


def test_the_same_command_after_ctrl_c_waits_for_the_same_jobs(
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
    for made in api.jobs.values():
        made.documents = [job_document()]
    code, out, _ = run("label", *catalogues, "--server", api.url, folder=tmp_path)
    assert (code, len(out.splitlines())) == (0, 3)
    assert len(api.uploads) == 3


def test_a_person_sees_a_line_for_each_file_and_what_has_come_of_it(
    api: FakeApi, catalogues: list[str], tmp_path: Path
) -> None:
    api.documents = [job_document(state="in_progress"), job_document()]
    ours, theirs = pty.openpty()
    with os.fdopen(ours, "rb", buffering=0) as screen:
        process = subprocess.Popen(
            [sys.executable, "-m", "cli", "label", *catalogues, "--server", api.url],
            env=os.environ | {"PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "120"},
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=theirs,
        )
        os.close(theirs)
        seen = b""
        try:
            while piece := screen.read(4096):
                seen += piece
        except OSError:  # how Linux says that the other end is closed
            pass
        out, _ = process.communicate(timeout=WITHIN_S)
        assert (process.returncode, len(out.splitlines())) == (0, 3)
    text = seen.decode()
    assert "b.csv  labelling" in text
    assert "c.csv: 10 rows: 8 labelled, 2 with an error, 1 to review" in text
