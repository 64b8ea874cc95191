"""Read rule packs and overrides, and resolve which numbers hold for a building."""
