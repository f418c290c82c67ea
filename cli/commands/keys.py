"""`spinelabel keys …`: runs `python -m api.keys` with the Redis of the server."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import click

from .options import data_dir_option, json_option


@click.group()
@click.option(
    "--redis-url",
    metavar="URL",
    envvar="SPINELABEL_REDIS_URL",
    show_envvar=True,
    help="The server's Redis. Default: that of the running local stack.",
)
@data_dir_option
@click.pass_context
def keys(context: click.Context, redis_url: str | None, data_dir: Path) -> None:
    """Create, list and revoke API keys.

    Needs access to the server's Redis, not to the server. With Docker Compose:
    docker compose exec api python -m api.keys …
    """
    context.obj = (redis_url, data_dir)


@keys.command()
@click.option(
    "--owner", required=True, metavar="NAME", help="Owner, whose jobs the key can access."
)
@click.option("--admin", is_flag=True, help="The key can access the jobs of all owners.")
@click.option("--max-upload-bytes", type=click.IntRange(1), metavar="N", help="Maximum file size.")
@click.option(
    "--max-open-jobs", type=click.IntRange(1), metavar="N", help="Maximum unfinished jobs."
)
@click.option("--requests-per-minute", type=click.IntRange(1), metavar="N")
@json_option("Print key and record as JSON.")
@click.pass_context
def create(
    context: click.Context,
    /,
    owner: str,
    admin: bool,
    as_json: bool,
    **limits: int | None,
) -> None:
    """Create a key and print it; it cannot be shown again. An owner may have several keys."""
    words = ["create", "--owner", owner]
    for name, value in limits.items():
        if value is not None:
            words += ["--" + name.replace("_", "-"), str(value)]
    _run(context, [*words, *["--admin"] * admin, *["--json"] * as_json])


@keys.command("list")
@json_option("Print the records as a JSON list.")
@click.pass_context
def list_(context: click.Context, as_json: bool) -> None:
    """List the keys by id, including revoked ones."""
    _run(context, ["list", *["--json"] * as_json])


@keys.command()
@click.argument("key_id", metavar="ID")
@json_option("Print the record as JSON.")
@click.pass_context
def revoke(context: click.Context, key_id: str, as_json: bool) -> None:
    """Revoke a key. ID is the beginning of the key, as shown by `list`."""
    _run(context, ["revoke", key_id, *["--json"] * as_json])


def _run(context: click.Context, words: list[str]) -> None:
    from ..errors import ServerUnreachable
    from ..local_stack.checkout import module_command, require_checkout
    from ..local_stack.data.data_folder import DataFolder

    require_checkout("`spinelabel keys`")
    from ..local_stack.data.redis_server import RedisServer  # needs redis, a package of the server

    redis_url, data_dir = context.obj
    if redis_url is None:
        folder = DataFolder(data_dir.resolve())
        if folder.running() is None:
            raise ServerUnreachable(
                f"No stack runs on {data_dir}. Start one with `spinelabel up`, or name the Redis "
                "of your server "
                "with --redis-url."
            )
        redis_url = RedisServer(folder.redis).url
    argv, env = module_command("api.keys", *words)
    done = subprocess.run(argv, env=os.environ | env | {"SPINELABEL_REDIS_URL": redis_url})
    if done.returncode:
        raise click.exceptions.Exit(done.returncode)
