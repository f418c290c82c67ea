"""Checks the names in shell commands: make targets, `spinelabel` commands, Compose services."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import click
import yaml

from cli.main import app as spinelabel
from tests.stack import ROOT

_TARGET = re.compile(r"^([a-z-]+):", re.MULTILINE)
_SPINELABEL = re.compile(r"^(?:\.venv/bin/)?spinelabel$")
_SERVICES_FOLLOW = {"up", "logs", "ps", "restart", "build", "stop", "start"}
_SERVICE_THEN_COMMAND = {"exec", "run"}
_TAKES_VALUE = {"--tail", "--scale", "--entrypoint", "--volume", "-e", "--since"}


def commands_in(text: str) -> Iterator[list[str]]:
    """Yield each simple command of a shell text as words; skip lines that cannot be split."""
    joined = text.replace("\\\n", " ")
    for line in joined.splitlines():
        try:
            words = shlex.split(line, comments=True)
        except ValueError:
            continue
        command: list[str] = []
        for word in words:
            if word in {"|", "&&", "||", ";", "do", "then", "done"}:
                if command:
                    yield command
                command = []
            else:
                command.append(word)
        if command:
            yield command


def complaint(words: Sequence[str]) -> str | None:
    """Say what a command names that does not exist; None if all exists, or for other programs."""
    words = [word for word in words if not re.match(r"^[A-Z_]+=", word)] or list(words)
    if words[0] == "make":
        return _about_make(words[1:])
    if _SPINELABEL.match(words[0]):
        return _about_spinelabel(words[1:])
    if words[:2] == ["docker", "compose"]:
        return _about_compose(words[2:])
    return None


def _about_make(words: Sequence[str]) -> str | None:
    known = set(_TARGET.findall((ROOT / "Makefile").read_text("utf-8")))
    unknown = [w for w in words if "=" not in w and not w.startswith("-") and w not in known]
    return f"make has no target {unknown[0]}" if unknown else None


def _about_spinelabel(words: Sequence[str]) -> str | None:
    command: click.Command = spinelabel
    rest = list(words)
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        if rest[0] in {"…", "..."}:
            return None
        subcommand = command.commands.get(rest[0])
        if subcommand is None:
            return f"spinelabel has no command {rest[0]}"
        command, rest = subcommand, rest[1:]
    options = {
        name
        for parameter in command.params
        if isinstance(parameter, click.Option)
        for name in (*parameter.opts, *parameter.secondary_opts)
    } | {"--help", "-h"}
    used = [word.partition("=")[0] for word in rest if word.startswith("-") and word != "-"]
    unknown = [name for name in used if name not in options]
    return f"spinelabel {command.name} has no option {unknown[0]}" if unknown else None


@cache
def compose() -> dict[str, Any]:
    """Return the parsed docker-compose.yml."""
    parsed: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
    return parsed


def _about_compose(words: Sequence[str]) -> str | None:
    services = compose()["services"]
    profiles = {name for service in services.values() for name in service.get("profiles", [])}
    plain: list[str] = []
    rest = iter(words)
    for word in rest:
        if word == "--profile":
            profile = next(rest, "")
            if profile not in profiles:
                return f"Compose has no profile {profile}"
        elif word in _TAKES_VALUE:
            value = next(rest, "").partition("=")[0]
            if word == "--scale" and value not in services:
                return f"Compose has no service {value}"
        elif not word.startswith("-") or plain[:1] == ["exec"]:
            plain.append(word)
    if not plain:
        return None
    action, *after = plain
    named = after if action in _SERVICES_FOLLOW else after[: action in _SERVICE_THEN_COMMAND]
    unknown = [name for name in named if name not in services and name.islower()]
    return f"Compose has no service {unknown[0]}" if unknown else None
