"""Where the signal goes and what it loses: geometry, atmosphere, rain, fading."""
