"""`python -m semloss`: the command line without the console script."""

import sys

from semloss.cli import main

sys.exit(main())
