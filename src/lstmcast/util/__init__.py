"""What everything else stands on and nothing of which knows about forecasting: settings, files, text, parallel work."""
