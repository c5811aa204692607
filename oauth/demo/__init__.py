"""What a development server shows: its home page, the sample app, the first commands, its documentation."""
