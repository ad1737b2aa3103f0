"""The voting screens: they know a session and nothing else."""
