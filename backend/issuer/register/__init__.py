"""Residents and households, kept encrypted; import and freshness."""
