"""The common package of every Cloud Function."""
