"""The AI providers, each behind a module that imports its own SDK and no other."""
