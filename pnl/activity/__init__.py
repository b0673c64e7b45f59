"""Holdings and daily activity: the projection that P&L is computed from."""
