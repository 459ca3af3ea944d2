"""Revisions, each with its date."""
