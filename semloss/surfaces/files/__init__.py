"""The fit file: written whole, checked strictly when read."""
