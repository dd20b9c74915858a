"""A link as planners describe it: keys with units and ranges, files, presets, checks."""
