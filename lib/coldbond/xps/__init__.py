"""X-ray photoelectron spectra: line shapes, backgrounds, fits, component selection and quantification."""
