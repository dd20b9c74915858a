"""The recipe, the optimiser and the loop that train every network."""
