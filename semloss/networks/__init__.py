"""What any network here is made with: weights from a seed, and layers found by their maps."""
