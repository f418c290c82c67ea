"""Abstract interfaces that API and workers depend on. Adapters: `jobs.redis`, `jobs.memory`."""
