"""Gridded environment (temperature, salinity ...) joined to records by place, depth and time."""
