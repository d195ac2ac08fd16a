"""Database and evidence as one verified set, and back again."""
