"""Pictures of passes, comparisons and studies, each written as `look.picture` says."""
