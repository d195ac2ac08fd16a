"""Forms of the pages of `evidence`, one module per noun."""
