"""Launches from an EHR (SMART App Launch, EHR launch): handles, the EHR's API, a launcher for development."""
