"""What a form misses: a smooth process on top of it, and the doubt about the sum."""
