"""What a reader decided on a report."""
