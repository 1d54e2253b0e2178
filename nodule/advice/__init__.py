"""What published rules make of findings and of what is known of a person."""
