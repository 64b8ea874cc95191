"""Belief about how many people are inside, from imperfect evidence."""
