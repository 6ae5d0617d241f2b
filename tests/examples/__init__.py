"""What the documentation shows, as it would stand in a project."""
