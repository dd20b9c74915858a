"""A grid that trains in seconds: what it measures is poor, how it is measured is real."""

TINY = """
name = "tiny"
[source]
kind = "scenes"
per_class = 12
[split]
train = 0.6
validation = 0.1
test = 0.3
[codec]
stem = 4
width = 8
depth = 0
[grid]
cr = ["1/24", "1/6"]
snr_db = [0, 10]
[train]
trunk = {steps = 40, optimiser = "adam", lr = 5e-3, clip_norm = 1.0}
base = {steps = 10, optimiser = "adam", lr = 2e-3}
cell = {steps = 8, optimiser = "adam", lr = 5e-4}
cell_steps_per_db = 0
independent = {steps = 40, optimiser = "adam", lr = 5e-3, clip_norm = 1.0}
[task]
clean = {steps = 10}
adapted = {steps = 4}
matched = {steps = 2}
matched_steps_per_db = 0
"""
