"""Memory systems: one file each, one contract."""
