"""Start Mnemoreel: the studio without arguments, or one of the command line's verbs."""

from __future__ import annotations

import os
import sys

# Before anything is imported: nothing of the studio ever calls out.
os.environ.update(
    {
        "GRADIO_ANALYTICS_ENABLED": "False",
        "HF_HUB_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "DO_NOT_TRACK": "1",
        "OMP_WAIT_POLICY": "PASSIVE",
    }
)

if __name__ == "__main__":
    # Not above: each child process imports this file again.
    from studio.cli.main import main

    sys.exit(main(sys.argv[1:]))
