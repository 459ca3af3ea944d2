"""The resident's screen: a page from this machine, which shows the journey and sends touches."""
