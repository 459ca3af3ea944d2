"""``kofu-line serve``."""

import click


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
def serve() -> None:
    """Serve the centre's end of the line until SIGTERM.

    Ends mutual TLS 1.3 on 127.0.0.1:KOFU_LINE_PORT, admits a kiosk only with its own certificate
    on its own circuit, and passes its requests to the kiosk API's Unix socket with the headers
    Kofu-Kiosk and Kofu-Circuit. Heartbeats and held events end here; kiosk states and security
    events go to Redis (KOFU_REDIS). Needs 'kofu-line ca init' first.
    """
    from dedicated_line.bootstrap import run_centre_end

    run_centre_end()
