"""Forecasts over HTTP (`lstmcast serve`), and as tools of an assistant (`lstmcast mcp`)."""
