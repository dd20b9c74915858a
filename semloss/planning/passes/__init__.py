"""What a link brings over passes: orbits, simulation, adaptive coding, outage."""
