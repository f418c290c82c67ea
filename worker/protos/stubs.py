"""Type stubs for generated protobuf modules, so that a misspelt field fails the type check."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
)

Field = FieldDescriptorProto

_SCALARS = {
    Field.TYPE_DOUBLE: "float",
    Field.TYPE_FLOAT: "float",
    Field.TYPE_BOOL: "bool",
    Field.TYPE_STRING: "str",
    Field.TYPE_BYTES: "bytes",
}  # every other scalar, enums among them, is an int
_HEADER = """\
# ruff: noqa
# fmt: off
from collections.abc import Iterable, Mapping
from google.protobuf.internal.containers import MessageMap, ScalarMap
from google.protobuf.internal.containers import RepeatedCompositeFieldContainer
from google.protobuf.internal.containers import RepeatedScalarFieldContainer
from google.protobuf.message import Message"""


def stubs(files: Mapping[str, FileDescriptorProto]) -> dict[str, str]:
    """The `.pyi` text of each generated module.

    Args:
        files: each module's own descriptor by the module's dotted name.
    """
    module_of = {file.name: module for module, file in files.items()}
    types: dict[str, _Type] = {}
    for file in files.values():
        for dependency in file.dependency:
            if dependency not in module_of:  # one of protobuf's own, such as wrappers.proto
                module = dependency.removesuffix(".proto").replace("/", ".") + "_pb2"
                own = FileDescriptorProto()
                import_module(module).DESCRIPTOR.CopyToProto(own)
                module_of[dependency] = module
                types.update(_types(own, module))
    for module, file in files.items():
        types.update(_types(file, module))
    return {module: _stub(file, module_of, types) for module, file in files.items()}


class _Type:
    """A message type: what Python calls it, and what its descriptor says."""

    def __init__(self, python: str, message: DescriptorProto) -> None:
        self.python = python
        self.message = message


def _types(file: FileDescriptorProto, module: str) -> Iterator[tuple[str, _Type]]:
    def walk(messages: Iterator[DescriptorProto], inside: str) -> Iterator[tuple[str, _Type]]:
        for message in messages:
            name = f"{inside}.{message.name}"
            yield f".{file.package}{name}", _Type(module + name, message)
            yield from walk(iter(message.nested_type), name)

    return walk(iter(file.message_type), "")


def _stub(
    file: FileDescriptorProto, module_of: Mapping[str, str], types: Mapping[str, _Type]
) -> str:
    lines = [_HEADER, *(f"import {module_of[name]}" for name in sorted(module_of))]
    lines += [line for enum in file.enum_type for line in _enum(enum, "")]
    lines += [line for message in file.message_type for line in _message(message, types, "")]
    return "\n".join(lines) + "\n"


def _enum(enum: EnumDescriptorProto, indent: str) -> Iterator[str]:
    for value in enum.value:
        yield f"{indent}{value.name}: int"


def _message(message: DescriptorProto, types: Mapping[str, _Type], indent: str) -> Iterator[str]:
    yield f"{indent}class {message.name}(Message):"
    deeper = indent + "    "
    for enum in message.enum_type:
        yield from _enum(enum, deeper)
    for nested in message.nested_type:
        yield from _message(nested, types, deeper)
    arguments = []
    for field in message.field:
        read, given, assignable = _python_types(field, types)
        if assignable:
            yield f"{deeper}{field.name}: {read}"
        else:
            yield f"{deeper}@property\n{deeper}def {field.name}(self) -> {read}: ..."
        arguments.append(f"{field.name}: {given} | None = ...")
    star = ", *, " if arguments else ""
    yield f"{deeper}def __init__(self{star}{', '.join(arguments)}) -> None: ..."


def _python_types(field: Field, types: Mapping[str, _Type]) -> tuple[str, str, bool]:
    """What reading a field gives, what the constructor takes, and whether it can be assigned to."""
    repeated = field.label == Field.LABEL_REPEATED
    if field.type != Field.TYPE_MESSAGE:
        scalar = _SCALARS.get(field.type, "int")
        if repeated:
            return f"RepeatedScalarFieldContainer[{scalar}]", f"Iterable[{scalar}]", False
        return scalar, scalar, True
    kind = types[field.type_name]
    if kind.message.options.map_entry:
        key, value = kind.message.field
        pair = f"{_python_types(key, types)[0]}, {_python_types(value, types)[0]}"
        container = "MessageMap" if value.type == Field.TYPE_MESSAGE else "ScalarMap"
        return f"{container}[{pair}]", f"Mapping[{pair}]", False
    if repeated:
        return f"RepeatedCompositeFieldContainer[{kind.python}]", f"Iterable[{kind.python}]", False
    return kind.python, kind.python, False
