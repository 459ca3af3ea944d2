"""Listeners: one folder an audience, each its own process, so that none reaches another."""
