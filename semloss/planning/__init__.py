"""Design-time planning on fitted surfaces: link budgets, passes, allocation, studies."""
