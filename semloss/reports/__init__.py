"""Pictures of surfaces and predictions."""
