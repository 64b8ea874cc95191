"""anfang-hub."""
