"""Answers -> one page that shows, card by card, what each of them rests on."""
