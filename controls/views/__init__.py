"""Pages that need nothing of `evidence`."""
