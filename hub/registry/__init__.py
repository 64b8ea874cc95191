"""Estates, buildings, units, leases, occupants, credentials."""
