"""What may I learn from? Parts of a collection that share nothing, and the audit that proves it."""
