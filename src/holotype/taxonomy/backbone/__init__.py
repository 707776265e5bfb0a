"""A reference taxonomy as one local table: its readers, how it is put together, how it is opened."""
