"""Stages of Pocket's recipe that make the judges."""
