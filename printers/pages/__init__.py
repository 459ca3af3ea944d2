"""Pages: a document becomes a page of exact dots and a PDF of the same, and text is read back."""
