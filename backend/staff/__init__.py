"""Who works at the consoles: accounts and log-in of municipal staff and operators."""
