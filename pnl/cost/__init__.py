"""Average cost: the formula, the fills it is folded from, and the projection that keeps it."""
