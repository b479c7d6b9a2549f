"""Personal notes, which nobody but their owner reads."""
