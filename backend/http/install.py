"""Put the habits of the API on a Flask app."""

from __future__ import annotations

from flask import Flask
from flask_compress import Compress
from werkzeug.middleware.proxy_fix import ProxyFix

from backend.http.api import Api
from backend.http.docs_page import install_docs
from backend.http.exchange import install_exchange
from backend.http.failures import install_handlers
from backend.http.json_values import OrjsonProvider
from backend.http.rates import install_rates
from backend.http.resumable import blueprint as uploads
from backend.settings import Settings


def install(app: Flask, settings: Settings, *, title: str = "清序开放接口", version: str = "1") -> Api:
    """Give `app` the API's habits and return the Api that takes blueprints; to be called before any route is added."""
    app.json = OrjsonProvider(app)
    app.config.update(
        COMPRESS_MIN_SIZE=2000,
        COMPRESS_LEVEL=5,
        COMPRESS_ALGORITHM=["zstd", "br", "gzip"],
        COMPRESS_MIMETYPES=[
            "application/json",
            "application/javascript",
            "application/geo+json",
            "image/svg+xml",
            "text/css",
            "text/csv",
            "text/html",
            "text/javascript",
        ],
    )
    Compress(app)
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    install_exchange(app, settings)
    install_rates(app, settings)
    install_handlers(app)
    api = Api(app, title=title, version=version)
    install_docs(app, api)
    api.register_blueprint(uploads)
    return api
