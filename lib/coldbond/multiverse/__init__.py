"""Every figure's numbers under other defensible choices (Steegen et al. 2016, doi 10.1177/1745691616658637)."""
