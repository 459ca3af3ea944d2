"""The resident's card: what is said to it, and the reader it is held to."""
