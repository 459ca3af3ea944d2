"""Paper: a document becomes a page, the page dots, the dots paper, and the paper says so."""
