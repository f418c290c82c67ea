"""`python -m api.keys create|list|revoke`: manages API keys in Redis.

Keys cannot be managed over HTTP. Exit status 2 for an invalid argument or setting, 3 if Redis
cannot be reached.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from typing import Any

import redis
from pydantic import ValidationError

from api.dependencies import connect_api_keys
from api.jobs.schemas import timestamp
from jobs.api_keys import ApiKey, KeyLimits, generate_api_key
from jobs.errors import ApiKeyNotFound
from jobs.ports.api_keys import ApiKeyStore
from jobs.settings import JobSettings


def main(arguments: list[str]) -> int:
    """Run one command."""
    options = _parser().parse_args(arguments)
    try:
        store = connect_api_keys(JobSettings().redis_url)
        options.run(store, options)
    except ValidationError as error:
        for problem in error.errors():
            name = "SPINELABEL_" + "_".join(str(part) for part in problem["loc"]).upper()
            # The value is not printed: the URL of Redis may contain a password.
            print(f"{name}: {problem['msg']}.", file=sys.stderr)
        return 2
    except (ApiKeyNotFound, ValueError) as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    except redis.RedisError as error:
        print(
            f"Error: Redis cannot be reached ({error}); see SPINELABEL_REDIS_URL.", file=sys.stderr
        )
        return 3
    return 0


def _create(store: ApiKeyStore, options: argparse.Namespace) -> None:
    limits = KeyLimits(
        upload_bytes=options.max_upload_bytes,
        open_jobs=options.max_open_jobs,
        requests_per_minute=options.requests_per_minute,
    )
    key, record = generate_api_key(options.owner, is_admin=options.admin, limits=limits)
    stored = store.add(record)
    if options.json:
        print(json.dumps({"key": key, **_document(stored)}, indent=2))
        return
    print("The key, which is not shown again:", file=sys.stderr)
    print(key)


def _list(store: ApiKeyStore, options: argparse.Namespace) -> None:
    keys = store.all()
    if options.json:
        print(json.dumps([_document(key) for key in keys], indent=2))
        return
    for key in keys:
        state = f"revoked {timestamp(key.revoked_at)}" if key.revoked_at else "in force"
        role = "admin" if key.is_admin else "user"
        print(f"{key.id}  {key.owner}  {role}  made {timestamp(key.created_at)}  {state}")
    if not keys:
        print("No keys yet.", file=sys.stderr)


def _revoke(store: ApiKeyStore, options: argparse.Namespace) -> None:
    key = store.revoke(options.id)
    if options.json:
        print(json.dumps(_document(key), indent=2))
    else:
        print(f"Revoked {key.id} (owner {key.owner}).")


def _document(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "owner": key.owner,
        "admin": key.is_admin,
        "limits": asdict(key.limits),
        "created_at": timestamp(key.created_at),
        "revoked_at": timestamp(key.revoked_at) if key.revoked_at else None,
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m api.keys", description=(__doc__ or "")[:-1])
    commands = parser.add_subparsers(required=True, metavar="create|list|revoke")
    create = commands.add_parser("create", help="create a key and print it once")
    create.set_defaults(run=_create)
    create.add_argument("--owner", required=True, help="owner whose jobs the key may access")
    create.add_argument(
        "--admin", action="store_true", help="the key may access the jobs of all owners"
    )
    for limit in ("--max-upload-bytes", "--max-open-jobs", "--requests-per-minute"):
        create.add_argument(limit, type=_positive, metavar="N")
    listing = commands.add_parser("list", help="list the keys by their ids")
    listing.set_defaults(run=_list)
    revoke = commands.add_parser("revoke", help="revoke a key")
    revoke.set_defaults(run=_revoke)
    revoke.add_argument("id", help="the id of the key, as shown by `list`")
    for command in (create, listing, revoke):
        command.add_argument("--json", action="store_true")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("it must be 1 or more")
    return number


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
