"""The one thing both ends agreed on: messages, documents, envelope, errors. Pure data, no I/O."""

CONTRACT_VERSION = 1
"""The version every session opens with; the centre speaks this one and the one before it."""
