"""What the cells and columns of a sheet say."""
