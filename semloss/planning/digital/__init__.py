"""The digital chain that DeepJSCC is judged against: MODCODs, rate curves, comparison."""
