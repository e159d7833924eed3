"""One module for each framework: `REQUIRES`, and `cases`, which makes its traces."""
