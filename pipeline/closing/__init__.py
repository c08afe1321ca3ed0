"""What comes back to people: workbook, balance, archive."""
