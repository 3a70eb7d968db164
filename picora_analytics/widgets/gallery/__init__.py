"""The gallery of pictures."""
