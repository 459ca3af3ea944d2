"""The blind centre, the municipality's issuing server, and the consoles."""
