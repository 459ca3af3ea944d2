"""Money: the port of a coin unit."""
