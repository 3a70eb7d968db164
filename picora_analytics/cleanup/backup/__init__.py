"""Files kept before a deletion, each proved, and their way back."""
