"""Invented products with prices, so that a fresh console has something to show."""
