"""The cleanup panel."""
