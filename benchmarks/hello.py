"""The bare application: Flask's "hello" behind the project's own gunicorn, as a process."""

from flask import Flask

from backend.settings import BackendSettings
from backend.web.serving import run_gunicorn


def create_app() -> Flask:
    """Return an application that does nothing."""
    app = Flask(__name__)

    @app.get("/v1/hello")
    def _hello() -> str:
        return "hello\n"

    return app


if __name__ == "__main__":
    settings = BackendSettings.load()
    run_gunicorn(create_app, f"unix:{settings.kiosk_api_socket}", settings, "hello")
