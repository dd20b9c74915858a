"""What if: sweeps, tornado, Monte-Carlo, batches of cases."""
