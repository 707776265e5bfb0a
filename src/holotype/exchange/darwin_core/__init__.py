"""Answers -> Darwin Core Archives for OBIS and GBIF, and a check of such archives."""
