"""Prices: their history, what it says, and what hangs on it."""
