"""Composing, issue numbers, keys, envelope and page seals."""
