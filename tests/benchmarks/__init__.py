"""Figures of the product: starts, warm calls and reads. `python -m tests.benchmarks`."""
