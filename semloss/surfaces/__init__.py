"""Parametric surfaces metric = f(CR, SNR): forms, fitting, the fit file, predictions."""
