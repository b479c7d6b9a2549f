"""Signing in and the users behind sessions."""
