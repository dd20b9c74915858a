"""The amplifier's back-off: what a table measured through one says of it, and its best point."""
