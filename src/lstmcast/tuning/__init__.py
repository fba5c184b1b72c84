"""Search for the settings of `fit` that suit a panel."""
