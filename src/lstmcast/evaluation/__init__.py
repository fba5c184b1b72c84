"""Metrics, baselines, calibration and backtests."""
