"""Forward models that wrote the synthetic recordings in raw/. Imports nothing of coldbond."""
