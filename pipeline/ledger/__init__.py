"""What happened, once: the only code that opens the database."""
