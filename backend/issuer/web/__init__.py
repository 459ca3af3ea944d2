"""The listener of the issuing server: HTTP in the words of `contract.issuing`."""
