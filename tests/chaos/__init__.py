"""Batches under accidents: providers that fail, workers that are killed, tasks that come twice."""
