"""What is wrong with an installation, each with its mend: `smartauth doctor`."""
