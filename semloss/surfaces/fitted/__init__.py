"""A fitted surface as data, and the questions it answers with numpy alone."""
