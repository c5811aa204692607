"""The pickers: which patient and which visit an app is told of (SMART App Launch, scopes launch/...)."""
