"""The plan: what is chosen, what is spared, and how both are shown and saved; no requests."""
