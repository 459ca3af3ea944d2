"""One module a certificate kind: who may have it, what it says."""
