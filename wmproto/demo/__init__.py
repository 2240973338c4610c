"""The whole story on real pictures, with every party on one machine; ``wmproto demo`` tells it. Needs torch."""
