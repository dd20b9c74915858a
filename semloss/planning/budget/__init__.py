"""The link budget: from amplifier to metric, as a ledger, and solved for a target."""
