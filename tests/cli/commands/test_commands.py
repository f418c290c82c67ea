"""The commands as a user runs them: exit codes, output streams and error messages."""

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
from tests.cli.program import RESULT, run, start
from tests.stack import ROOT
from tests.waiting import WITHIN_S, eventually


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    path = tmp_path / "catalogue.csv"
    path.write_text("title,summary\nA,words\nB,words\n")
    return path


def test_label_prints_only_the_path_without_a_terminal(
    api: FakeApi, catalogue: Path, tmp_path: Path
) -> None:
    api.result = RESULT
    api.documents = [job_document(state="in_progress"), job_document()]
    code, out, err = run("label", "catalogue.csv", "--server", api.url, folder=tmp_path)
    assert (code, out) == (0, "catalogue.labelled.csv\n")
    assert err == ""  # no terminal
    assert (tmp_path / "catalogue.labelled.csv").read_bytes() == RESULT
    assert api.uploads == [({"filename": ["catalogue.csv"]}, catalogue.read_bytes())]


def test_warnings_of_a_job_go_to_standard_error(
    api: FakeApi, catalogue: Path, tmp_path: Path
) -> None:
    api.result = RESULT
    warning = {"code": "UNSUPPORTED_LANGUAGE", "message": "2 rows are not in English.", "rows": 2}
    api.documents = [job_document(warnings=[warning])]
    result = run("label", catalogue, "-q", "-o", "x.csv", "--server", api.url, folder=tmp_path)
    assert result == (0, "x.csv\n", "Warning: 2 rows are not in English.\n")
    code, out, err = run("status", "job_1", "--server", api.url, folder=tmp_path)
    assert (code, err) == (0, "Warning: 2 rows are not in English.\n")
    assert "English" not in out


def test_label_passes_the_evidence_option_on(api: FakeApi, catalogue: Path, tmp_path: Path) -> None:
    api.result = RESULT
    run("label", catalogue, "-q", "--evidence", "--server", api.url, folder=tmp_path)
    assert api.uploads[0][0]["evidence"] == ["true"]


def test_quiet_label_prints_only_the_path(api: FakeApi, catalogue: Path, tmp_path: Path) -> None:
    api.result = RESULT
    result = run("label", catalogue, "-q", "-o", "x.csv", "--server", api.url, folder=tmp_path)
    assert result == (0, "x.csv\n", "")


def test_a_failed_job_gives_exit_code_1_a_reason_and_no_output_file(
    api: FakeApi, catalogue: Path, tmp_path: Path
) -> None:
    reason = {"code": "NO_ROWS", "message": "The file has a header but no rows."}
    api.documents = [job_document(state="failed", error=reason)]
    code, out, err = run("label", catalogue, "--server", api.url, folder=tmp_path)
    assert (code, out) == (1, "")
    assert "The job job_1 failed: The file has a header but no rows." in err
    assert "spinelabel download job_1" in err
    assert list(tmp_path.iterdir()) == [catalogue]


def test_a_refused_file_gives_exit_code_2_and_the_servers_message(
    api: FakeApi, catalogue: Path, tmp_path: Path
) -> None:
    api.refusals = [(422, "NO_SUMMARY_COLUMN", "No column looks like a summary; name one.")]
    code, _, err = run("label", catalogue, "--server", api.url, folder=tmp_path)
    assert (code, err) == (
        2,
        "Error: No column looks like a summary; name one. Here: --summary-column NAME.\n",
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
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
def test_invalid_arguments_are_refused_before_anything_starts(
    catalogue: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    code, out, err = run("label", *arguments, folder=tmp_path)
    assert (code, out) == (2, "")
    assert message in err
    assert list(tmp_path.iterdir()) == [catalogue]


def test_an_unreachable_server_gives_exit_code_3(catalogue: Path, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{ports.free_port()}"
    code, _, err = run("label", catalogue, "--server", url, folder=tmp_path)
    assert code == 3
    assert f"{url} does not answer" in err


def test_status_without_a_running_stack_explains_how_to_start_one(tmp_path: Path) -> None:
    code, _, err = run("status", "job_1", folder=tmp_path)
    assert code == 3
    assert "Start one with `spinelabel up`" in err
    assert list(tmp_path.iterdir()) == []


def test_interrupted_label_explains_how_to_continue_and_gives_130(
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


def test_a_filename_that_is_not_utf_8_is_sent_with_replacement_characters(
    api: FakeApi, tmp_path: Path
) -> None:
    api.result = RESULT
    name = os.fsdecode(b"B\xfccher.csv")  # as older systems encoded it
    (tmp_path / name).write_text("title,summary\nA,words\n")
    code, _, err = run("label", name, "--server", api.url, folder=tmp_path)
    assert (code, err) == (0, "")
    assert [query["filename"] for query, _ in api.uploads] == [["B\ufffdcher.csv"]]
    assert (tmp_path / os.fsdecode(b"B\xfccher.labelled.csv")).read_bytes() == RESULT


def test_an_undecodable_job_id_is_sent_like_any_other(api: FakeApi, tmp_path: Path) -> None:
    code, _, err = run("status", os.fsdecode(b"\xff"), "--server", api.url, folder=tmp_path)
    assert (code, err) == (0, "")  # the fake server has a job for every id


@pytest.fixture
def running_stack(api: FakeApi, tmp_path: Path) -> Iterator[Path]:
    """A data folder whose running stack is the fake server."""
    folder = DataFolder(tmp_path / "data")
    folder.prepare()
    state = StackState(url=api.url, pid=os.getpid(), temporary=False)
    with folder.claimed(print), folder.announced(state):
        yield folder.path


def test_commands_find_the_stack_of_the_data_folder(
    api: FakeApi, catalogue: Path, running_stack: Path, tmp_path: Path
) -> None:
    api.result = RESULT
    code, out, err = run("label", catalogue, "--data-dir", running_stack, folder=tmp_path)
    assert (code, out) == (0, f"{tmp_path / 'catalogue.labelled.csv'}\n")
    assert err == ""
    code, out, _ = run("cancel", "job_1", "--data-dir", running_stack, folder=tmp_path)
    assert code == 0
    assert "being cancelled" in out


def test_a_second_up_on_the_same_data_folder_is_refused(
    api: FakeApi, running_stack: Path, tmp_path: Path
) -> None:
    code, _, err = run("up", "--data-dir", running_stack, "--port", "0", folder=tmp_path)
    assert code == 2
    assert f"A stack runs on {running_stack} already at {api.url} (process {os.getpid()})" in err


def test_up_refuses_an_occupied_port_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        code, out, err = run("up", "--data-dir", "d", "--port", port, folder=tmp_path)
    assert (code, out) == (2, "")
    assert f"Port {port} on 127.0.0.1 is taken by another program" in err
    assert "for example --port " in err


def test_up_refuses_a_data_folder_that_is_not_writable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    code, out, err = run("up", "--data-dir", "file/data", folder=tmp_path)
    assert (code, out) == (2, "")
    assert "file/data cannot be written to" in err


def test_up_without_a_model_names_the_folder_searched(tmp_path: Path) -> None:
    code, out, err = run(
        "up", "--data-dir", "d", "--port", "0", "--model-root", "none", folder=tmp_path
    )
    assert (code, out) == (2, "")
    assert "There is no model in none" in err


def test_a_stack_that_cannot_start_stops_completely_and_shows_the_reason(
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
        assert lock is not None  # no child holds the lock any longer
    assert not (tmp_path / "d" / "stack.json").exists()


def test_status_is_one_line_or_the_job_document(api: FakeApi, tmp_path: Path) -> None:
    code, out, _ = run("status", "job_1", "--server", api.url, folder=tmp_path)
    assert code == 0
    assert out == "job_1  catalogue.csv: completed · 10 rows: 8 labelled, 2 with an error\n"
    _, out, _ = run("status", "job_1", "--json", "--server", api.url, folder=tmp_path)
    assert json.loads(out) == job_document()


@pytest.mark.parametrize(("state", "code"), [("in_progress", 0), ("failed", 1), ("cancelled", 1)])
def test_the_exit_code_of_status_is_1_if_the_job_did_not_succeed(
    api: FakeApi, tmp_path: Path, state: str, code: int
) -> None:
    api.documents = [job_document(state=state)]
    assert run("status", "job_1", "--server", api.url, folder=tmp_path)[0] == code


def test_watch_ends_with_the_job_and_its_exit_code(api: FakeApi, tmp_path: Path) -> None:
    states = ["queued", "in_progress", "in_progress", "cancelled"]
    api.documents = [job_document(state=state) for state in states]
    code, out, err = run("status", "job_1", "--watch", "--server", api.url, folder=tmp_path)
    assert (code, err) == (1, "")
    assert out.startswith("job_1  catalogue.csv: cancelled")


def test_watch_with_json_prints_a_line_per_change(api: FakeApi, tmp_path: Path) -> None:
    states = ["queued", "in_progress", "in_progress", "completed"]
    api.documents = [job_document(state=state) for state in states]
    arguments = ("status", "job_1", "--watch", "--json", "--server", api.url)
    code, out, _ = run(*arguments, folder=tmp_path)
    assert code == 0
    states_printed = [json.loads(line)["state"] for line in out.splitlines()]
    assert states_printed == ["queued", "in_progress", "completed"]


def test_several_jobs_are_cancelled_at_once(api: FakeApi, tmp_path: Path) -> None:
    code, out, _ = run("cancel", "job_1", "job_2", "--json", "--server", api.url, folder=tmp_path)
    assert (code, [job["id"] for job in json.loads(out)]) == (0, ["job_1", "job_2"])
    assert api.cancelled == ["/v1/jobs/job_1/cancel", "/v1/jobs/job_2/cancel"]


def test_a_download_may_be_described_as_json_or_go_to_standard_output(
    api: FakeApi, tmp_path: Path
) -> None:
    api.result = RESULT
    server = ("--server", api.url)
    _, out, _ = run("download", "job_1", "--json", *server, folder=tmp_path)
    document = json.loads(out)
    assert (document["output"], document["job"]["id"]) == ("catalogue.labelled.csv", "job_1")
    assert run("download", "job_1", "-o", "-", *server, folder=tmp_path)[1].encode() == RESULT


def test_the_model_is_described_as_text_and_as_json(api: FakeApi, tmp_path: Path) -> None:
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
def test_completion_prints_a_script(shell: str, tmp_path: Path) -> None:
    code, out, _ = run("completion", shell, folder=tmp_path)
    assert (code, "_SPINELABEL_COMPLETE" in out) == (0, True)


def test_commands_are_completed(tmp_path: Path) -> None:
    settings = {
        "_SPINELABEL_COMPLETE": "bash_complete",
        "COMP_WORDS": "spinelabel d",
        "COMP_CWORD": "1",
    }
    _, out, _ = run(folder=tmp_path, **settings)
    assert {line.split(",")[1] for line in out.splitlines()} == {"demo", "doctor", "download"}


def test_download_never_writes_outside_the_current_folder(api: FakeApi, tmp_path: Path) -> None:
    api.result = RESULT
    api.documents = [job_document(filename="../../etc/books.csv")]
    code, out, _ = run("download", "job_1", "--server", api.url, folder=tmp_path)
    assert (code, out) == (0, "books.labelled.csv\n")
    assert (tmp_path / "books.labelled.csv").read_bytes() == RESULT


def test_jobs_are_listed_one_per_line(api: FakeApi, tmp_path: Path) -> None:
    api.listed = [job_document("job_1"), job_document("job_2", "in_progress", eta_seconds=75)]
    _, out, _ = run("jobs", "--server", api.url, folder=tmp_path)
    assert [line.split()[1] for line in out.splitlines()] == ["job_1", "job_2"]
    assert "1 min 15 s left" in out
    _, out, _ = run("jobs", "--json", "--limit", "1", "--server", api.url, folder=tmp_path)
    assert [job["id"] for job in json.loads(out)] == ["job_1"]


def test_the_help_imports_no_heavy_package() -> None:
    probe = (
        "import sys; sys.argv = ['spinelabel', '--help']\n"
        "from cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print('loaded', sorted({'httpx', 'rich', 'redis', 'tensorflow'} & set(sys.modules)))"
    )
    output = subprocess.check_output([sys.executable, "-c", probe], cwd=ROOT, text=True)
    assert "Exit codes: 0 done" in output
    assert output.endswith("loaded []\n")
