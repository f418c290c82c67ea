"""`spinelabel demo`: labels the sample catalogue and prints some rows and counts per genre."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..batch.command import LabelCommand, label
from ..batch.labelled_file import LabelledRow, Tally, read_labelled
from ..batch.targets import FilePair, default_target
from ..local_stack.data.data_folder import DataFolder
from ..local_stack.settings import LocalStackSettings
from .display import Display
from .formatting import count

_SHOWN = 12
_BAR_WIDTH = 30
_REVIEW_MARK = "review"


@dataclass(frozen=True, kw_only=True)
class Summary:
    """Counts of a labelled catalogue, and some of its rows in order."""

    counts: Tally
    sample: list[LabelledRow]


def demo(sample: Path, stack_settings: LocalStackSettings, display: Display) -> Path:
    """Label `sample` and print tables of the result. Returns the path of the labelled file."""
    DataFolder(stack_settings.data_dir).prepare()
    target = stack_settings.data_dir / default_target(sample).name
    with display:
        # `again`: a second demonstration should label, not download the first result.
        pair = FilePair(source=sample, target=target)
        (catalogue,) = label(
            LabelCommand(pairs=[pair], stack_settings=stack_settings, again=True), display
        )
    if catalogue.error is not None:
        raise catalogue.error
    summary = summarise(target)
    console = Console(highlight=False)
    console.print(titles_table(summary))
    console.print(genres_table(summary.counts))
    return target


def summarise(path: Path) -> Summary:
    """Count the rows of the file, and sample rows with a genre at equal distances."""
    counts = Tally()
    for row in read_labelled(path):
        counts.add(row)
    step = max(counts.genres.total() // _SHOWN, 1)
    with_genre = (row for row in read_labelled(path) if row.genre)
    sample = [row for number, row in enumerate(with_genre) if number % step == 0]
    return Summary(counts=counts, sample=sample[:_SHOWN])


def titles_table(summary: Summary) -> Table:
    """Return a table of titles with genre, confidence and a mark on rows that need review."""
    table = Table(title=f"{len(summary.sample)} of {count(summary.counts.rows, 'row')}")
    table.add_column("title", max_width=40, no_wrap=True)
    table.add_column("genre")
    table.add_column("confidence", justify="right")
    table.add_column("")
    for row in summary.sample:
        mark = Text(_REVIEW_MARK, style="yellow") if row.needs_review else Text()
        # Text, because rich would interpret brackets in a title as markup.
        table.add_row(Text(title_of(row)), row.genre, f"{row.confidence or 0:.0%}", mark)
    return table


def genres_table(counts: Tally) -> Table:
    """Return a table of the number of books per genre, in descending order."""
    rows = count(counts.needs_review, "row")
    table = Table(title=f"Genres ({rows} for a person to review)")
    table.add_column("genre")
    table.add_column("books", justify="right")
    table.add_column("")
    largest = max(counts.genres.values(), default=1)
    for genre, books in counts.genres.most_common():
        table.add_row(genre, f"{books:,}", "█" * max(round(_BAR_WIDTH * books / largest), 1))
    for error, books in counts.errors.most_common():
        table.add_row(Text(f"({error})"), f"{books:,}", "")
    return table


def title_of(row: LabelledRow) -> str:
    """Return the cell of the column `title`, else the first cell."""
    for name, cell in row.own.items():
        if name.strip().casefold() == "title":
            return cell
    return next(iter(row.own.values()), "")
