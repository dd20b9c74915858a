"""What the planner is asked, and its answers: told as text, rows, JSON and pictures."""
