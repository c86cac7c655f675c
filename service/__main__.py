"""`python -m service`: one process that serves HTTP, and its decoder children.

Imports are inside `main` because children started by `spawn` may import this module again.
"""

import logging
import os
import sys


def main() -> int:
    """Serve until SIGTERM or SIGINT; accepted requests are finished first. Returns the exit status."""
    from service.memory import tune

    tune()

    import uvicorn
    from pydantic import ValidationError

    from service import logs
    from service.app import create_app
    from service.settings import Settings, unknown

    try:
        settings = Settings()
    except ValidationError as error:
        print(error, file=sys.stderr)
        return 2
    logs.configure(settings.log_level)
    for name in unknown(os.environ):
        logging.getLogger("service").warning("%s is not a setting and has no effect", name)
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(settings),
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            server_header=False,
            ws="none",
            timeout_graceful_shutdown=settings.shutdown_grace_s,
        )
    )
    server.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
