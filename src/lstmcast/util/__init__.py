"""Foundations without any forecasting: settings, files, text, parallel work."""
