"""Is it still used: find image ids in a person's own files, pages and history."""
