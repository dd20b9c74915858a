"""Pictures of passes, comparisons and studies."""
