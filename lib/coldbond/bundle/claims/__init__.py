"""What the paper states, set against what the figures found: raw/claims.yml, verdicts, the table and its picture."""
