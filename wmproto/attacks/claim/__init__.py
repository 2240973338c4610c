"""False claims: what a liar prepares in order to "own" a model that he never marked."""
