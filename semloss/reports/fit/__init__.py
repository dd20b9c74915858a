"""What a fit shows: its surface, its doubt, the forms it was chosen from.

A ``…_plot`` writes a picture and its table as `look.picture` does, and returns one sentence that
reads it.
"""
