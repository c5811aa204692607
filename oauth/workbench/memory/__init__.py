"""What a development server keeps in mind until it stops."""
