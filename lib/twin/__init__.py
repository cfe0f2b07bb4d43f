"""Forward models that write the synthetic recordings in raw/."""
