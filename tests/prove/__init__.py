"""What the proofs share, and the long ones that `make prove` runs."""
