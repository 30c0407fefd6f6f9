"""What every kind of surrogate needs: atoms, keyed draws, the look of the original, and who keeps which draw."""
