"""The terminal in the shop: screen, card, coins, printer, and the check before printing."""
