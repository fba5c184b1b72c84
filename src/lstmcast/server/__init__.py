"""Forecasts over HTTP (`lstmcast serve`)."""
