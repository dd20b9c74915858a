"""From points to a fitted surface: solver, choice of form, doubt."""
