"""Collect: train a grid of codecs, measure it, write tidy tables."""

import time

#: CPU seconds of this process before anything of this package was imported.
BEGAN_S = time.process_time()
