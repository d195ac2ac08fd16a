"""One act on many rows of a system, each seen before it is done."""
