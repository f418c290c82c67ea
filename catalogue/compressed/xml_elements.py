"""Iterates over elements of an XML file with bounded memory.

Only requested elements are built, with their descendants; all others are skipped. Bytes are counted
before the parser can buffer more of them than allowed.
"""

from collections.abc import Collection, Iterator
from typing import IO
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from catalogue.limits import MAX_DEPTH, MAX_ELEMENT_BYTES, MAX_ELEMENTS, MAX_TAG_BYTES

_BLOCK_BYTES = 64 * 1024

ElementPath = tuple[str, str]
"""The names of the parent and of the element, each as ``{namespace}name``."""


class XmlRefused(Exception):
    """The file declares a document type or exceeds a limit."""


def elements(source: IO[bytes], paths: Collection[ElementPath], *, until: str) -> Iterator[Element]:
    """Yield the requested elements as they end.

    Args:
        source: the file. It is read to its end, so that its checksum is verified.
        paths: the elements to yield; they must not nest.
        until: the element at whose end parsing stops.

    Raises:
        XmlRefused: the file has a document type (entities need one), a tag longer than
            `MAX_TAG_BYTES`, or more than `MAX_ELEMENT_BYTES` or `MAX_ELEMENTS` in one element.
        xml.parsers.expat.ExpatError: it is not well-formed.
    """
    builder = _Builder(paths, until)
    parser = expat.ParserCreate(namespace_separator="}")
    parser.buffer_text = True
    parser.ordered_attributes = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.text
    parser.StartDoctypeDeclHandler = _refuse_document_type
    since_element = since_event = 0
    while block := source.read(_BLOCK_BYTES):
        if builder.is_over:
            continue
        events = builder.events
        parser.Parse(block, False)
        since_event = 0 if builder.events > events else since_event + len(block)
        since_element = 0 if builder.done else since_element + len(block)
        if since_event > MAX_TAG_BYTES or since_element > MAX_ELEMENT_BYTES:
            raise XmlRefused("there is too much between two elements")
        yield from builder.done
        builder.done.clear()
    if not builder.is_over:
        parser.Parse(b"", True)


def _refuse_document_type(*_declaration: object) -> None:
    raise XmlRefused("a document type is declared")


class _Builder:
    """Parser callbacks: track open elements and build the requested ones."""

    def __init__(self, paths: Collection[ElementPath], until: str) -> None:
        self.done: list[Element] = []
        self.events = 0
        self.is_over = False
        self._paths = {(_as_parsed(parent), _as_parsed(name)) for parent, name in paths}
        self._until = _as_parsed(until)
        self._open: list[str] = [""]
        self._tree: TreeBuilder | None = None
        self._level = 0  # depth of the element being built
        self._count = 0  # its descendants

    def start(self, name: str, attributes: list[str]) -> None:
        self.events += 1
        if self._tree is None and not self.is_over and (self._open[-1], name) in self._paths:
            self._tree, self._level, self._count = TreeBuilder(), len(self._open), 0
        self._open.append(name)
        if len(self._open) > MAX_DEPTH:
            raise XmlRefused("elements are nested too deeply")
        if self._tree is not None:
            self._count += 1
            if self._count > MAX_ELEMENTS:
                raise XmlRefused("an element holds too many others")
            names = map(_as_named, attributes[::2])
            self._tree.start(_as_named(name), dict(zip(names, attributes[1::2], strict=True)))

    def end(self, name: str) -> None:
        self.events += 1
        self._open.pop()
        if self._tree is not None:
            self._tree.end(_as_named(name))
            if len(self._open) == self._level:
                self.done.append(self._tree.close())
                self._tree = None
        elif name == self._until:
            self.is_over = True

    def text(self, text: str) -> None:
        self.events += 1
        if self._tree is not None:
            self._tree.data(text)


def _as_parsed(name: str) -> str:
    """``{namespace}name`` in the parser's notation."""
    return name.removeprefix("{")


def _as_named(name: str) -> str:
    return "{" + name if "}" in name else name
