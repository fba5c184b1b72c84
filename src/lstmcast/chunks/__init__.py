"""Tables larger than memory: read some series at a time, results written part by part."""
