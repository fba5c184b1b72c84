"""SQL databases: addresses, passwords, connections, and tables that change as a whole."""
