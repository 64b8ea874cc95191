"""Life-safety rules that work with no hub."""
