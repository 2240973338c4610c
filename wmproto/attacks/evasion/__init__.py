"""Attacks that leave a stolen model as it is and change the pictures before it is asked."""
