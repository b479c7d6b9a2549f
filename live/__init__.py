"""Crawls as they go on, over WebSockets: Cloud Functions speak none."""
