"""What people decide about records: sessions, a log that loses nothing, groups of look-alikes, write-back."""
