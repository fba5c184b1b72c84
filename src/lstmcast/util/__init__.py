"""What everything else stands on: settings, files, text, parallel work; no forecasting in it."""
