"""OSCAL 1.2.3 documents of one system, written from the rows of every other format."""
