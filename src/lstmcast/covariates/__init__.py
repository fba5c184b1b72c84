"""Effects of columns known in advance: removed from what is read, added to what is forecast."""
