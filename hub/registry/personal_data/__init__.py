"""Seal, mask, reveal, export and erase what identifies a person."""
