"""The centre's own list of kiosks: which there are, on which circuit, with which device key."""
