"""Galvanostatic cells: cycling, short circuits, critical current density, long cycling, capacity, rate."""
