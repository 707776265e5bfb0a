"""What do I have? Sources, intake with a ledger, and the collection on disk. Never imports torch."""
