"""The catalogue: products, categories, uploads, exports and matches."""
