"""From files and frames of other libraries to cells and sheets."""
