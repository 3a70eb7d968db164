"""What only the service or the pictures can tell."""
