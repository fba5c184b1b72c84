"""Tables larger than memory, forecast in chunks of series whose results are written as parts."""
