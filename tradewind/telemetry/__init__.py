"""What the running system says of itself."""
