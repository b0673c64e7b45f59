"""P&L of the business date: rows by key, and totals by account."""
