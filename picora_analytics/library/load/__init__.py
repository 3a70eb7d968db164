"""Load the whole library from the listing."""
