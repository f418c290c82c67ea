"""Redis adapters of the ports. `keys` names all keys; each atomic step is a script."""
