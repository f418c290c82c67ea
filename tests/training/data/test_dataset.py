from pathlib import Path

import pytest

from training.data.dataset import read_books, read_corpus, read_extra_texts
from training.data.report import data_report
from training.errors import TrainingError


def _csv(folder: Path, text: str) -> Path:
    path = folder / "books.csv"
    path.write_text(text, encoding="utf-8")
    return path


GOOD = """index,title,genre,summary
1,None,crime,"A detective hunts a killer, slowly"
2,NA,crime,The police arrest a burglar
3,Dune,science,A planet of sand and spice
4,Solaris,science,An ocean that thinks
"""


def test_columns_are_detected_by_name(tmp_path: Path) -> None:
    corpus = read_corpus(_csv(tmp_path, GOOD))
    assert corpus.label_names == ("crime", "science")
    assert corpus.labels.tolist() == [0, 0, 1, 1]
    assert corpus.texts[0] == "detective hunts killer slowly"


def test_titles_that_look_like_missing_values_survive(tmp_path: Path) -> None:
    assert read_corpus(_csv(tmp_path, GOOD)).titles[:2] == ("None", "NA")


def test_a_column_can_be_given_by_name(tmp_path: Path) -> None:
    path = _csv(tmp_path, GOOD.replace("summary", "Inhalt").replace("genre", "Sachgruppe"))
    corpus = read_corpus(path, summary_column="inhalt", label_column="Sachgruppe")
    assert len(corpus) == 4


def test_duplicate_empty_and_unlabelled_rows_are_dropped_and_counted(tmp_path: Path) -> None:
    path = _csv(
        tmp_path,
        GOOD
        + "5,Again,crime,a DETECTIVE hunts a killer slowly!\n6,Empty,crime,...\n7,No,,words here\n",
    )
    corpus = read_corpus(path)
    assert len(corpus) == 4
    assert (corpus.duplicate_rows, corpus.empty_rows, corpus.unlabelled_rows) == (1, 1, 1)
    assert corpus.rows_read == 7


def test_rows_in_other_languages_are_dropped_and_counted(tmp_path: Path) -> None:
    german = "Die Tochter des Müllers und der Drache, der ihr das Leben rettet."
    path = _csv(tmp_path, f'{GOOD}5,Der Drache,crime,"{german}"\n')
    corpus = read_corpus(path)
    assert len(corpus) == 4
    assert (corpus.foreign_rows, corpus.empty_rows, corpus.duplicate_rows) == (1, 0, 0)
    assert data_report(corpus)["foreign_rows"] == 1
    extra = read_extra_texts(path)
    assert (len(extra.texts), extra.foreign_rows) == (4, 1)


def test_the_goodreads_suffix_is_removed(tmp_path: Path) -> None:
    path = _csv(tmp_path, GOOD + "5,Tail,crime,A spy returns ...more (less)\n")
    assert read_corpus(path).summaries[-1] == "spy returns"


def test_the_fingerprint_depends_on_the_content_and_not_on_the_order(tmp_path: Path) -> None:
    first = read_corpus(_csv(tmp_path, GOOD)).fingerprint()
    lines = GOOD.strip().split("\n")
    swapped = "\n".join([lines[0], *reversed(lines[1:])])
    assert read_corpus(_csv(tmp_path, swapped)).fingerprint() == first
    assert read_corpus(_csv(tmp_path, GOOD.replace("spice", "rain"))).fingerprint() != first


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("title,genre,summary\n", "has a header but no rows"),
        (
            "title,genre\na,b\n",
            "has no summary column: expected summary, .* but it has title, genre",
        ),
        ("title,summary\na,b\n", "has no label column"),
        (
            "genre,summary\ncrime,12 34\ncrime,!!\n",
            "no summary has an English word left after cleaning",
        ),
        ("genre,summary\ncrime,knife\ncrime,gun\n", r"has 1 label\(s\)"),
        (GOOD + "9,One,travel,A long road\n", "the label 'travel' has one row"),
    ],
)
def test_invalid_data_is_refused_with_a_reason(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        read_corpus(_csv(tmp_path, text))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="there is no such file"):
        read_corpus(tmp_path / "none.csv")


def test_text_in_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "books.csv"
    path.write_bytes("genre,summary\ncrime,Café\n".encode("cp1252"))
    with pytest.raises(TrainingError, match="is not UTF-8 text"):
        read_corpus(path)


def test_extra_texts_need_no_label_and_exclude_summaries_of_the_data(tmp_path: Path) -> None:
    path = _csv(tmp_path, "blurb\nA long road\nA short road\na LONG road\n")
    extra = read_extra_texts(path)
    assert extra.texts == ("long road", "short road")
    assert extra.labels == ("", "")
    assert extra.excluding(["long road"]).texts == ("short road",)


def test_texts_begin_with_the_title_and_duplicates_are_found_by_summary(tmp_path: Path) -> None:
    path = _csv(
        tmp_path,
        "title,genre,summary\nThe Road,a,House\nRoads,a,house!\n,b,City\n,b,River\n,a,Sea\n",
    )
    corpus = read_corpus(path)
    assert corpus.texts == ("road house", "city", "river", "sea")
    assert corpus.summaries == ("house", "city", "river", "sea")
    assert corpus.duplicate_rows == 1
    assert read_corpus(path, title=False).texts == corpus.summaries
    extra = read_extra_texts(path)
    assert extra.texts == corpus.texts
    assert extra.excluding(["house"]).texts == corpus.texts[1:]


def test_books_keep_their_order_and_empty_cells(tmp_path: Path) -> None:
    books = read_books(_csv(tmp_path, "summary,x,title\nb,1,B\n,2,None\na,3,\n"))
    assert [(book.title, book.summary) for book in books] == [("B", "b"), ("None", ""), ("", "a")]
