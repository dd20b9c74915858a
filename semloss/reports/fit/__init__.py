"""What a fit shows: its surface, its doubt, the forms it was chosen from."""
