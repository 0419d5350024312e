"""What every room may use: names, messages, results, files. Knows no physics and no solver."""
