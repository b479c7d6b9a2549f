"""Finds the category of a product, by AI providers that stand in for each other."""
