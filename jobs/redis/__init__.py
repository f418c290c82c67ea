"""Redis adapters of the ports; `keys` names every key, `scripts/` has one Lua script per atomic step."""
