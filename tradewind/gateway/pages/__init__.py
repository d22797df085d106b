"""Pages on which people look at deliveries, orders, dead letters and captures; they need a token."""
