"""What makes figures out of notebooks: the table figures.toml and the parameters of notebooks."""
