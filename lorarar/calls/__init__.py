"""Calls from Python that also keep what comes of them in the database."""
