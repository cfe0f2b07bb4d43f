"""The helper library of the notebooks: paths, manifest, recordings, figures, findings, claims."""
