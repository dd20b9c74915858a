"""Collect: train a grid of codecs, measure it, write tidy tables."""
