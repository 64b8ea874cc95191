"""What a device or a gateway board is, as data."""
