"""A grid that trains in seconds: what it measures is poor, how it is measured is real."""

# 48 px: the least that ms_ssim_3 can look at
TINY = """
name = "tiny"
[source]
kind = "scenes"
size = 48
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
# enough steps that no cell is near the mean image, which is divergence, on any machine
trunk = {steps = 40, batch_size = 8, optimiser = "adam", lr = 5e-3, clip_norm = 1.0}
base = {steps = 5, batch_size = 8, optimiser = "adam", lr = 2e-3}
cell = {steps = 4, batch_size = 8, optimiser = "adam", lr = 5e-4}
cell_steps_per_db = 0
independent = {steps = 40, batch_size = 8, optimiser = "adam", lr = 5e-3, clip_norm = 1.0}
[task]
clean = {steps = 10, batch_size = 16}
adapted = {steps = 4, batch_size = 16}
matched = {steps = 2, batch_size = 16}
matched_steps_per_db = 0
"""
