"""The issuing server: a process of its own, which knows its own residents and nothing else."""
