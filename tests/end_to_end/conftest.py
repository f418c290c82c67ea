"""One laptop stack for all end-to-end tests."""

from __future__ import annotations

import csv
from collections.abc import Iterator

import pytest

from tests.stack import SAMPLE, Stack, running_stack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("stack")) as running:
        yield running


@pytest.fixture(scope="session")
def sample() -> bytes:
    return SAMPLE.read_bytes()


@pytest.fixture(scope="session")
def many_rows() -> bytes:
    """A catalogue of some thousand different rows, made from the sample's own words."""
    with SAMPLE.open(encoding="utf-8", newline="") as stream:
        texts = [row["Description"] for row in csv.DictReader(stream) if row["Description"].strip()]
    lines = ["sku,title,description\n"]
    for number in range(6000):
        first, second = texts[number % len(texts)], texts[(number * 7 + 3) % len(texts)]
        words = (first + " " + second).replace('"', "'").replace("\n", " ").split()
        text = " ".join(words[number % 11 : 60 + number % 97])
        lines.append(f'{number:06d},Book {number},"{text}, volume {number}"\n')
    return "".join(lines).encode()
