"""The one training loop: configuration, checkpoints, fine-tuning, history."""
