"""The kiosk's journal: numbers, states and money, never people."""
