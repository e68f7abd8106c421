"""Training: profiles, checkpoints, batches."""
