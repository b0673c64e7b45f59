"""The ledger: its entries, the reader that meets each entry once, and what keeps sums of it."""
