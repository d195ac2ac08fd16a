"""Measures what the product promises; tests never do. Run with `make bench`."""
