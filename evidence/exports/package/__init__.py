"""What an evidence package is made of; `formats/package.py` puts it together."""
