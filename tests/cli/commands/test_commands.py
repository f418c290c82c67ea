"""The program as a person uses it: exit codes, what goes to which stream, sentences for every error."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.local_stack import ports
from cli.local_stack.data.data_folder import DataFolder, StackState
from tests.cli.fake_api import FakeApi, job_document
from tests.stack import ROOT
from tests.waiting import WITHIN_S, eventually

RESULT = (
    b"title,summary,predicted_genre,confidence,second_genre,second_confidence,genre_set,"
    b"needs_review,row_error,row_error_detail\n"
    b"A,words,crime,0.9,horror,0.1,crime,false,,\n"
    b"B,words,horror,0.4,crime,0.3,horror|crime,true,,\n"
)


def start(*arguments: str | Path, folder: Path, **settings: str) -> subprocess.Popen[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("SPINELABEL_")}
    return subprocess.Popen(
        [sys.executable, "-m", "cli", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        env=environment | {"PYTHONPATH": str(ROOT)} | settings,
    )


def run(*arguments: str | Path, folder: Path, **settings: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    process = start(*arguments, folder=folder, **settings)
    out, err = process.communicate(timeout=WITHIN_S)  # the doctor loads a model
    assert "Traceback" not in err
    return process.returncode, out, err


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    path = tmp_path / "catalogue.csv"
    path.write_text("title,summary\nA,words\nB,words\n")
    return path


def test_label_prints_the_path_alone_and_is_quiet_in_a_pipe(
    api: FakeApi, catalogue: Path, tmp_path: Path
) -> None:
    api.result = RESULT
    api.documents = [job_document(state="in_progress"), job_document()]
    code, out, err = run("label", "catalogue.csv", "--server", api.url, folder=tmp_path)
    assert (code, out) == (0, "catalogue.labelled.csv\n")
    assert err == ""  # nobody looks on
    assert (tmp_path / "catalogue.labelled.csv").read_bytes() == RESULT
    assert api.uploads == [({"filename": ["catalogue.csv"]}, catalogue.read_bytes())]


def test_warnings_of_a_job_go_to_standard_error(
    api: FakeApi, catalogue: Path, tmp_path: Path
) -> None:
    api.result = RESULT
    warning = {"code": "UNSUPPORTED_LANGUAGE", "message": "2 rows are not in English.", "rows": 2}
    api.documents = [job_document(warnings=[warning])]
    done = run("label", catalogue, "-q", "-o", "x.csv", "--server", api.url, folder=tmp_path)
    assert done == (0, "x.csv\n", "Warning: 2 rows are not in English.\n")
    code, out, err = run("status", "job_1", "--server", api.url, folder=tmp_path)
    assert (code, err) == (0, "Warning: 2 rows are not in English.\n")
    assert "English" not in out


def test_label_asks_for_evidence_when_told_to(
    api: FakeApi, catalogue: Path, tmp_path: Path
) -> None:
    api.result = RESULT
    run("label", catalogue, "-q", "--evidence", "--server", api.url, folder=tmp_path)
    assert api.uploads[0][0]["evidence"] == ["true"]


def test_quiet_label_says_nothing_but_the_path(
    api: FakeApi, catalogue: Path, tmp_path: Path
) -> None:
    api.result = RESULT
    done = run("label", catalogue, "-q", "-o", "x.csv", "--server", api.url, folder=tmp_path)
    assert done == (0, "x.csv\n", "")


def test_a_failed_job_gives_exit_code_1_its_reason_and_no_output_file(
    api: FakeApi, catalogue: Path, tmp_path: Path
) -> None:
    reason = {"code": "NO_ROWS", "message": "The file has a header but no rows."}
    api.documents = [job_document(state="failed", error=reason)]
    code, out, err = run("label", catalogue, "--server", api.url, folder=tmp_path)
    assert (code, out) == (1, "")
    assert "The job job_1 failed: The file has a header but no rows." in err
    assert "spinelabel download job_1" in err
    assert list(tmp_path.iterdir()) == [catalogue]


def test_a_refused_file_gives_exit_code_2_and_the_servers_sentence(
    api: FakeApi, catalogue: Path, tmp_path: Path
) -> None:
    api.refusals = [(422, "NO_SUMMARY_COLUMN", "No column looks like a summary; name one.")]
    code, _, err = run("label", catalogue, "--server", api.url, folder=tmp_path)
    assert (code, err) == (
        2,
        "Error: No column looks like a summary; name one. Here: --summary-column NAME.\n",
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["missing.csv"], "There is no file missing.csv."),
        (["."], ". is a folder; name a catalogue file."),
        (["catalogue.csv", "-o", "no/where.csv"], "There is no folder no for the result"),
        (["catalogue.csv", "-o", "."], ". is a folder; name a file with -o."),
        (["catalogue.csv", "-o", "catalogue.csv"], "The result would replace the catalogue itself"),
        (["catalogue.csv", "--server", "ftp://x"], "is not the address of a server"),
        (["catalogue.csv", "--server", "http://[::1"], "is not the address of a server"),
        (["catalogue.csv", "--server", "http://x:99999"], "is not the address of a server"),
        (["catalogue.csv", "--server", "http://"], "is not the address of a server"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_starts(
    catalogue: Path, tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    code, out, err = run("label", *arguments, folder=tmp_path)
    assert (code, out) == (2, "")
    assert sentence in err
    assert list(tmp_path.iterdir()) == [catalogue]


def test_a_server_that_is_not_there_gives_exit_code_3(catalogue: Path, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{ports.free_port()}"
    code, _, err = run("label", catalogue, "--server", url, folder=tmp_path)
    assert code == 3
    assert f"{url} does not answer" in err


def test_without_a_running_stack_status_says_how_to_start_one(tmp_path: Path) -> None:
    code, _, err = run("status", "job_1", folder=tmp_path)
    assert code == 3
    assert "Start one with `spinelabel up`" in err
    assert list(tmp_path.iterdir()) == []


def test_interrupted_label_says_how_to_go_on_and_gives_130(
    api: FakeApi, catalogue: Path, tmp_path: Path
) -> None:
    api.documents = [job_document(state="in_progress")]
    process = start("label", catalogue, "--server", api.url, folder=tmp_path)
    eventually(lambda: any(job.polls for job in list(api.jobs.values())))
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=WITHIN_S)
    assert process.returncode == 130
    assert f"Interrupted here; 1 job continues at {api.url}:" in err
    assert "job_1  catalogue.csv" in err
    assert f"spinelabel cancel job_1 --server {api.url}" in err
    assert "Traceback" not in err
    assert api.cancelled == []


def test_a_file_name_that_is_no_utf_8_is_sent_as_well_as_it_can_be(
    api: FakeApi, tmp_path: Path
) -> None:
    api.result = RESULT
    name = os.fsdecode(b"B\xfccher.csv")  # as it was written on an older system
    (tmp_path / name).write_text("title,summary\nA,words\n")
    code, _, err = run("label", name, "--server", api.url, folder=tmp_path)
    assert (code, err) == (0, "")
    assert [query["filename"] for query, _ in api.uploads] == [["B\ufffdcher.csv"]]
    assert (tmp_path / os.fsdecode(b"B\xfccher.labelled.csv")).read_bytes() == RESULT


def test_a_job_id_that_is_no_text_is_asked_for_like_any_other(api: FakeApi, tmp_path: Path) -> None:
    code, _, err = run("status", os.fsdecode(b"\xff"), "--server", api.url, folder=tmp_path)
    assert (code, err) == (0, "")  # this server has a job under every id


@pytest.fixture
def stack_of_tests(api: FakeApi, tmp_path: Path) -> Iterator[Path]:
    """A data folder whose running stack is the fake server."""
    folder = DataFolder(tmp_path / "data")
    folder.prepare()
    running = StackState(url=api.url, pid=os.getpid(), temporary=False)
    with folder.claimed(print), folder.announced(running):
        yield folder.path


def test_commands_find_the_stack_that_runs_on_the_data_folder(
    api: FakeApi, catalogue: Path, stack_of_tests: Path, tmp_path: Path
) -> None:
    api.result = RESULT
    code, out, err = run("label", catalogue, "--data-dir", stack_of_tests, folder=tmp_path)
    assert (code, out) == (0, f"{tmp_path / 'catalogue.labelled.csv'}\n")
    assert err == ""
    code, out, _ = run("cancel", "job_1", "--data-dir", stack_of_tests, folder=tmp_path)
    assert code == 0
    assert "being cancelled" in out


def test_a_second_up_on_the_same_data_folder_is_refused(
    api: FakeApi, stack_of_tests: Path, tmp_path: Path
) -> None:
    code, _, err = run("up", "--data-dir", stack_of_tests, "--port", "0", folder=tmp_path)
    assert code == 2
    assert f"A stack runs on {stack_of_tests} already at {api.url} (process {os.getpid()})" in err


def test_up_names_a_port_that_is_taken_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        code, out, err = run("up", "--data-dir", "d", "--port", port, folder=tmp_path)
    assert (code, out) == (2, "")
    assert f"Port {port} on 127.0.0.1 is taken by another program" in err
    assert "for example --port " in err


def test_up_names_a_data_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    code, out, err = run("up", "--data-dir", "file/data", folder=tmp_path)
    assert (code, out) == (2, "")
    assert "file/data cannot be written to" in err


def test_up_without_a_model_says_where_it_looked(tmp_path: Path) -> None:
    code, out, err = run(
        "up", "--data-dir", "d", "--port", "0", "--model-root", "none", folder=tmp_path
    )
    assert (code, out) == (2, "")
    assert "There is no model in none" in err


def test_a_stack_that_cannot_start_ends_whole_and_shows_why(
    catalogue: Path, tmp_path: Path
) -> None:
    model = tmp_path / "models" / "genre" / "1"
    model.mkdir(parents=True)
    (model / "saved_model.pb").touch()
    code, out, err = run(
        *("label", catalogue, "--data-dir", "d", "--model-root", "models"),
        folder=tmp_path,
        SPINELABEL_API_THREADS="many",
    )
    assert (code, out) == (3, "")
    assert "api died (exit status 2). The end of its log" in err
    assert "SPINELABEL_API_THREADS" in err
    with DataFolder(tmp_path / "d").claimed(print) as lock:
        assert lock is not None  # no child holds it any more
    assert not (tmp_path / "d" / "stack.json").exists()


def test_status_is_one_line_or_the_servers_own_document(api: FakeApi, tmp_path: Path) -> None:
    code, out, _ = run("status", "job_1", "--server", api.url, folder=tmp_path)
    assert code == 0
    assert out == "job_1  catalogue.csv: completed · 10 rows: 8 labelled, 2 with an error\n"
    _, out, _ = run("status", "job_1", "--json", "--server", api.url, folder=tmp_path)
    assert json.loads(out) == job_document()


@pytest.mark.parametrize(("state", "code"), [("in_progress", 0), ("failed", 1), ("cancelled", 1)])
def test_the_exit_code_of_status_tells_whether_the_job_went_wrong(
    api: FakeApi, tmp_path: Path, state: str, code: int
) -> None:
    api.documents = [job_document(state=state)]
    assert run("status", "job_1", "--server", api.url, folder=tmp_path)[0] == code


def test_watching_ends_with_the_job_and_its_exit_code(api: FakeApi, tmp_path: Path) -> None:
    states = ["queued", "in_progress", "in_progress", "cancelled"]
    api.documents = [job_document(state=state) for state in states]
    code, out, err = run("status", "job_1", "--watch", "--server", api.url, folder=tmp_path)
    assert (code, err) == (1, "")
    assert out.startswith("job_1  catalogue.csv: cancelled")


def test_a_program_that_watches_reads_a_line_for_every_change(api: FakeApi, tmp_path: Path) -> None:
    states = ["queued", "in_progress", "in_progress", "completed"]
    api.documents = [job_document(state=state) for state in states]
    words = ("status", "job_1", "--watch", "--json", "--server", api.url)
    code, out, _ = run(*words, folder=tmp_path)
    assert code == 0
    seen = [json.loads(line)["state"] for line in out.splitlines()]
    assert seen == ["queued", "in_progress", "completed"]


def test_several_jobs_are_cancelled_at_once(api: FakeApi, tmp_path: Path) -> None:
    code, out, _ = run("cancel", "job_1", "job_2", "--json", "--server", api.url, folder=tmp_path)
    assert (code, [job["id"] for job in json.loads(out)]) == (0, ["job_1", "job_2"])
    assert api.cancelled == ["/v1/jobs/job_1/cancel", "/v1/jobs/job_2/cancel"]


def test_a_download_may_be_described_or_go_to_standard_output(api: FakeApi, tmp_path: Path) -> None:
    api.result = RESULT
    there = ("--server", api.url)
    _, out, _ = run("download", "job_1", "--json", *there, folder=tmp_path)
    said = json.loads(out)
    assert (said["output"], said["job"]["id"]) == ("catalogue.labelled.csv", "job_1")
    assert run("download", "job_1", "-o", "-", *there, folder=tmp_path)[1].encode() == RESULT


def test_the_model_is_described_for_a_person_and_for_a_program(
    api: FakeApi, tmp_path: Path
) -> None:
    api.model = {
        "version": 3,
        "name": "genre",
        "labels": ["crime", "travel"],
        "metrics": {"macro_f1": 0.7303},
        "review_threshold": 0.959,
        "conformal": {"coverage": 0.9},
        "reads_title": True,
    }
    code, out, _ = run("model", "--server", api.url, folder=tmp_path)
    assert code == 0
    assert out.splitlines() == [
        "genre version 3",
        "  genres            crime, travel",
        "  reads             titles and summaries",
        "  macro f1          0.730",
        "  needs review      below a confidence of 0.959",
        "  genre_set         holds the right genre in 90% of rows",
        "  evidence          no",
    ]
    assert json.loads(run("model", "--json", "--server", api.url, folder=tmp_path)[1]) == api.model
    api.refusals = [(404, "MODEL_UNKNOWN", "No worker has reported a model lately.")]
    assert run("model", "--server", api.url, folder=tmp_path)[0] == 2


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script_that_asks_the_program(shell: str, tmp_path: Path) -> None:
    code, out, _ = run("completion", shell, folder=tmp_path)
    assert (code, "_SPINELABEL_COMPLETE" in out) == (0, True)


def test_the_program_completes_its_commands(tmp_path: Path) -> None:
    asked = {
        "_SPINELABEL_COMPLETE": "bash_complete",
        "COMP_WORDS": "spinelabel d",
        "COMP_CWORD": "1",
    }
    _, out, _ = run(folder=tmp_path, **asked)
    assert {line.split(",")[1] for line in out.splitlines()} == {"demo", "doctor", "download"}


def test_download_never_writes_outside_the_folder_it_runs_in(api: FakeApi, tmp_path: Path) -> None:
    api.result = RESULT
    api.documents = [job_document(filename="../../etc/books.csv")]
    code, out, _ = run("download", "job_1", "--server", api.url, folder=tmp_path)
    assert (code, out) == (0, "books.labelled.csv\n")
    assert (tmp_path / "books.labelled.csv").read_bytes() == RESULT


def test_jobs_are_listed_one_a_line(api: FakeApi, tmp_path: Path) -> None:
    api.listed = [job_document("job_1"), job_document("job_2", "in_progress", eta_seconds=75)]
    _, out, _ = run("jobs", "--server", api.url, folder=tmp_path)
    assert [line.split()[1] for line in out.splitlines()] == ["job_1", "job_2"]
    assert "1 min 15 s left" in out
    _, out, _ = run("jobs", "--json", "--limit", "1", "--server", api.url, folder=tmp_path)
    assert [job["id"] for job in json.loads(out)] == ["job_1"]


def test_the_help_loads_nothing_heavy() -> None:
    probe = (
        "import sys; sys.argv = ['spinelabel', '--help']\n"
        "from cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print('loaded', sorted({'httpx', 'rich', 'redis', 'tensorflow'} & set(sys.modules)))"
    )
    said = subprocess.check_output([sys.executable, "-c", probe], cwd=ROOT, text=True)
    assert "Exit codes: 0 done" in said
    assert said.endswith("loaded []\n")
