"""Redis adapters of the ports; `keys` names every key, `scripts/` has a Lua script per atomic step."""
