"""Buildings, units, leases, occupants, credentials and devices."""
