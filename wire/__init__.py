"""What a gateway and the hub say to each other, and nothing else. Imports nobody but msgspec."""
