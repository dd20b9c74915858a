"""What a metric is, in one place: its label, unit, direction, range, levels, noise and spellings.

A metric is one registration, ``register(Metric("miou", …))``. What nobody registered is judged by
the words of its name (`metric_facts`).
"""

from semloss.facts import known
from semloss.facts.metric import (
    METRICS,
    SHARED,
    Directed,
    Metric,
    metric_facts,
    register,
    sign_of,
    spelled,
)

__all__ = [
    "METRICS", "SHARED", "Directed", "Metric", "known", "metric_facts", "register", "sign_of",
    "spelled",
]  # fmt: skip
