"""Below the torch line: networks of the closed grammar, data sets, training, and weights in escrow. Needs torch."""
