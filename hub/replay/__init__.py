"""Plays what is stored once more, through the same rules or a draft of others, in a database of its own."""
