"""Holdings, activity and P&L by strategy: those of an account, told apart."""
