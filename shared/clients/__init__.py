"""One module for each outside system; its errors are mapped there and nowhere else."""
