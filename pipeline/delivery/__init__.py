"""What is due goes out, each step once."""
