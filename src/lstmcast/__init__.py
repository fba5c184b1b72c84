"""Forecast time series with LSTM networks: from one small CSV to an honest forecast in a second."""

from __future__ import annotations

__version__ = "0.1.0"
