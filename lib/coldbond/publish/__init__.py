"""What publishes built figures: the contents of a folder of figures, the site, the report and the RO-Crate."""
