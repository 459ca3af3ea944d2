"""The card's word, checked: challenge, signature, chain, dates, validity centre."""
