"""X-ray photoelectron spectra: line shapes, backgrounds, fits, and what of a surface they prove."""
