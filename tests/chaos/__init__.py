"""The real processes, killed while orders come in."""
