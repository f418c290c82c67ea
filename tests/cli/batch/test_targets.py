"""Which files a command labels, and where the results go."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.batch.targets import STREAM, check, pair_files
from cli.errors import BadInput


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("a.csv", "b.csv", "sub/c.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("summary\nwords\n")
    (tmp_path / "out").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def pairs_of(*names: str, output_dir: str | None = None) -> list[tuple[str, str]]:
    pairs, _ = pair_files(names, output=None, output_dir=Path(output_dir) if output_dir else None)
    return [(str(a.source), str(a.target)) for a in pairs]


@pytest.mark.usefixtures("folder")
def test_results_go_beside_their_files_or_into_one_folder() -> None:
    assert pairs_of("a.csv", "sub/c.csv") == [
        ("a.csv", "a.labelled.csv"),
        ("sub/c.csv", "sub/c.labelled.csv"),
    ]
    assert pairs_of("a.csv", "sub/c.csv", output_dir="out") == [
        ("a.csv", "out/a.labelled.csv"),
        ("sub/c.csv", "out/c.labelled.csv"),
    ]


@pytest.mark.usefixtures("folder")
def test_a_pattern_that_the_shell_did_not_expand_is_expanded() -> None:
    assert [source for source, _ in pairs_of("*.csv")] == ["a.csv", "b.csv"]
    assert [source for source, _ in pairs_of("**/*.csv")] == ["a.csv", "b.csv", "sub/c.csv"]
    assert [source for source, _ in pairs_of("b.csv", "*.csv")] == ["b.csv", "a.csv"]
    with pytest.raises(BadInput, match=r"No file matches \*\.tsv"):
        pairs_of("*.tsv")


def test_an_existing_file_takes_precedence_over_a_pattern(folder: Path) -> None:
    (folder / "a[1].csv").touch()
    assert pairs_of("a[1].csv") == [("a[1].csv", "a[1].labelled.csv")]


def test_results_of_an_earlier_run_are_skipped(folder: Path) -> None:
    (folder / "a.labelled.csv").touch()
    pairs, skipped = pair_files(["*.csv"], output=None, output_dir=None)
    assert [str(a.source) for a in pairs] == ["a.csv", "b.csv"]
    assert skipped == [Path("a.labelled.csv")]
    assert pairs_of("a.labelled.csv") == [("a.labelled.csv", "a.labelled.labelled.csv")]


@pytest.mark.usefixtures("folder")
def test_standard_input_goes_to_standard_output_or_the_named_output() -> None:
    assert pairs_of("-") == [("-", "-")]
    assert pairs_of("-", output_dir="out") == [("-", "out/stdin.labelled.csv")]
    pairs, _ = pair_files(["-"], output=Path("x.csv"), output_dir=None)
    assert (pairs[0].source, pairs[0].target) == (STREAM, Path("x.csv"))
    check(pairs[0])


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("names", "options", "message"),
    [
        (["-", "a.csv"], {}, "stands alone"),
        (["a.csv", "b.csv"], {"output": Path("x.csv")}, "use --output-dir"),
        (["a.csv"], {"output": Path("x.csv"), "output_dir": Path("out")}, "not both"),
        (["a.csv", "a.tsv"], {}, "a.csv, a.tsv would all be written to a.labelled.csv"),
    ],
)
def test_contradictory_arguments_are_refused(
    names: list[str], options: dict[str, Path], message: str
) -> None:
    with pytest.raises(BadInput, match=message):
        pair_files(names, **({"output": None, "output_dir": None} | options))
