"""What people and machines read, from records built by hand."""
