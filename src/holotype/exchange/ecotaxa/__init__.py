"""Answers -> EcoTaxa: tables to import with images, tables that update objects, and a check of both."""
