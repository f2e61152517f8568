"""Every setting of the platform, read once from the environment."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from environs import Env, EnvError

QUIET_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")

_ADDRESS = r"https?://[^\s/|]+/(?=[^|]*\{z\})(?=[^|]*\{x\})(?=[^|]*\{y\})[^\s|]+"
TILE_ADDRESSES = re.compile(rf"(?:[^=:/\s]+=)?{_ADDRESS}(?:\|{_ADDRESS})*")


class SettingsError(Exception):
    """A setting is missing or cannot be read; the message is one sentence for the operator."""


def setting(default: Any, help: str) -> Any:
    """Declare one setting: its default and the line that documents it."""
    return field(default=default, metadata={"help": help})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What an operator may choose. The variable of `mongodb_url` is `QINGXU_MONGODB_URL`, and so on."""

    mode: str = setting("production", "`demo` makes a fictional district and demo accounts; `production` never does")
    data_dir: Path = setting(Path("data"), "Folder of the embedded servers, local blobs and generated demo secrets")
    host: str = setting("127.0.0.1", "Address the web server listens on")
    port: int = setting(8000, "Port the web server listens on")
    web_workers: int = setting(2, "Web worker processes")
    web_threads: int = setting(8, "Threads of each web worker")
    trusted_proxies: int = setting(0, "How many reverse proxies in front set X-Forwarded-* headers")

    mongodb_url: str = setting("", "MongoDB 7+ replica set; empty starts the embedded store")
    mongodb_database: str = setting("qingxu", "Database name")
    redis_url: str = setting("", "Redis for the job queues; empty starts the embedded one")
    store_port: int = setting(0, "Port of the embedded store, on loopback; 0 takes a free one at each start")
    redis_port: int = setting(0, "Port of the embedded Redis, on loopback; 0 takes a free one at each start")

    master_key: str = setting("", "Key-encryption key: 32 bytes in base64; never change it without `rewrap-keys`")
    previous_master_key: str = setting("", "The key before, while `rewrap-keys` runs")
    cipher: str = setting("AES-256-GCM", "Cipher of private fields and of blobs: `AES-256-GCM` or `SM4-GCM`")

    blob_store: str = setting("", "Where big files lie: empty for `<data_dir>/blobs`, or `s3://bucket/prefix`")
    s3_endpoint: str = setting("", "Address of an S3-compatible service")
    s3_region: str = setting("", "Region of the S3-compatible service")
    s3_access_key: str = setting("", "Access key of the S3-compatible service")
    s3_secret_key: str = setting("", "Secret key of the S3-compatible service")
    scrub_bytes: int = setting(2_000_000_000, "Bytes of blobs that are read again every 10 minutes to find rot")

    session_minutes: int = setting(15, "Life of an access token")
    refresh_hours: int = setting(12, "Life of a session that is not refreshed")
    login_attempts: int = setting(5, "Wrong passwords before an account is locked")
    login_lock_minutes: int = setting(15, "How long a locked account stays locked")
    login_rate: str = setting("30/minute", "Login attempts allowed from one address")
    api_rate: str = setting("1200/minute", "API requests allowed to one account, or to one address without login")

    max_json_bytes: int = setting(1_000_000, "Largest JSON body accepted")
    max_upload_bytes: int = setting(32_000_000, "Largest multipart body accepted")
    max_open_uploads: int = setting(5, "Uploads of one person that may be under way at once")
    upload_hours: int = setting(24, "How long an upload may be continued, and waits to be used")
    max_image_pixels: int = setting(50_000_000, "Largest picture accepted, in pixels")
    max_clip_bytes: int = setting(200_000_000, "Largest clip accepted, and the largest upload that may be continued")
    max_clip_seconds: int = setting(60, "Longest clip accepted")
    max_clip_pixels: int = setting(
        9_000_000, "Largest frame of a clip accepted, in pixels; 8K would not fit the worker"
    )
    max_table_rows: int = setting(50_000, "Most rows of one import")

    face_models: str = setting("", "Folder that holds the face detector and recogniser (ONNX); empty: none")
    object_model: str = setting("", "Object detector (ONNX, YOLOX or YOLOv8/11 layout); empty: none")
    object_labels: str = setting("", "Text file with one class name a line for the object detector")
    ffmpeg: str = setting("", "ffmpeg that decodes clips; empty: the one on PATH, or that of imageio-ffmpeg")
    extraction_seconds: int = setting(120, "Longest time to work on the photos of one capture")
    model_wait_seconds: int = setting(60, "How often missing model files are looked for while captures wait for them")
    case_cooldown_minutes: int = setting(10, "Captures of one violation at one point this near in time are one case")

    retention_uncased_days: int = setting(30, "Days that captures without a case are kept")
    retention_rejected_days: int = setting(90, "Days that rejected cases are kept")
    retention_lead_days: int = setting(180, "Days that confirmed cases without a penalty are kept")
    retention_penalty_days: int = setting(1825, "Days that cases with a penalty are kept")
    face_likeness: float = setting(0.5, "Likeness (cosine) from which face comparison says `possible repeat`")
    face_templates_warning: int = setting(80_000, "Face templates from which the health page warns")

    report_font: str = setting("", "Font of the hand-over report (TTF, OTF or TTC); empty: that of the extra `report`")
    defence_days: int = setting(5, "Days in which the person concerned may state and defend, from the notice on")
    notice_rate: str = setting("30/minute", "Requests of persons concerned allowed from one address")
    notice_tries: str = setting("10/hour", "Wrong notice codes allowed from one address")

    patrol_radius_metres: int = setting(60, "How near to a point a supervisor checks in, where the point says nothing")
    patrol_offline_hours: int = setting(24, "How late a check-in made offline may arrive before it is doubtful")
    patrol_clock_minutes: int = setting(5, "How wrong a phone's clock may be before its check-ins are doubtful")
    patrol_dwell_seconds: int = setting(20, "Shortest stay at a point before a check-in is doubtful")
    patrol_speed_kmh: float = setting(40.0, "Highest speed between two points before a check-in is doubtful")
    patrol_warning_minutes: int = setting(30, "How long before the end of its window a supervisor is told of a round")

    anonymous_exposure: bool = setting(False, "Whether people may report exposures without a login")
    exposure_rate: str = setting("20/day", "Exposures taken from one account, or from one address without login")
    receipt_rate: str = setting("30/minute", "Requests with receipt codes allowed from one address")
    receipt_tries: str = setting("10/hour", "Wrong receipt codes allowed from one address")

    ledger_hash: str = setting("SHA-256", "Hash of the custody ledger's new entries and roots: `SHA-256` or `SM3`")
    evidence_signature: str = setting("Ed25519", "Signature under the ledger's roots: `Ed25519` or `SM2`")
    timestamp_authority: str = setting(
        "",
        "Time stamps (RFC 3161) on the ledger's roots: `none`, `local` (an own authority, for trying out), or the "
        "address of an authority; empty is `local` in demo mode and `none` otherwise",
    )
    timestamp_certificates: str = setting("", "PEM file of the CA certificates behind the time stamp authority")

    messages_per_hour: int = setting(10, "Messages of one kind that a person gets in an hour; more become one")
    quiet_hours: str = setting(
        "22:00-07:00", "When no channel sends what is not urgent, in the time of Shanghai; `none` for never"
    )

    map_tiles: str = setting(
        "",
        "Backgrounds of the cockpit's map, separated by spaces: `vec` and `img` are Tianditu's map and imagery; any "
        "other is `title=address|address`, from the ground up, with {z} {x} {y} and perhaps {s} and {key}; empty: none",
    )
    map_tile_key: str = setting("", "Key of the tile service; it is put in for {key} by the server and shown nowhere")
    map_tile_cache_bytes: int = setting(500_000_000, "Bytes of tiles that are kept in `<data_dir>/tiles`")

    outbox_seconds: int = setting(5, "How often undelivered events are looked for")
    delivery_lease_seconds: int = setting(120, "After this long a started delivery counts as lost and is taken again")
    delivery_attempts: int = setting(8, "Attempts before a delivery is set aside as dead")

    safe_mode: bool = setting(False, "Start without plugins from installed packages")
    disabled_plugins: tuple[str, ...] = setting((), "Plugins that are not loaded, comma separated")
    slow_hook_seconds: float = setting(2.0, "A plugin's hook slower than this is reported on the health page")
    metrics_token: str = setting(
        "", "Bearer token that may read /metrics from elsewhere; without it only this machine may"
    )
    log_level: str = setting("INFO", "DEBUG, INFO, WARNING or ERROR")
    log_format: str = setting("json", "`json` or `console`")

    @classmethod
    def from_env(cls, **overrides: Any) -> Settings:
        """Read the environment; raises SettingsError with one sentence that names the variable."""
        env = Env()
        readers: dict[str, Callable[..., Any]] = {
            "str": env.str,
            "int": env.int,
            "float": env.float,
            "bool": env.bool,
            "Path": env.path,
            "tuple[str, ...]": lambda name, default: tuple(env.list(name, default=list(default))),
        }
        values = {}
        for each in dataclasses.fields(cls):
            try:
                values[each.name] = readers[str(each.type)](variable(each.name), default=each.default)
            except EnvError as error:
                raise SettingsError(f"{variable(each.name)} cannot be read: {error}") from error
        return cls(**{**values, **overrides}).checked()

    def checked(self) -> Settings:
        """Refuse values that no part of the platform could work with."""
        choices = {
            "mode": ("demo", "production"),
            "cipher": ("AES-256-GCM", "SM4-GCM"),
            "log_format": ("json", "console"),
            "ledger_hash": ("SHA-256", "SM3"),
            "evidence_signature": ("Ed25519", "SM2"),
        }
        for name, allowed in choices.items():
            if getattr(self, name) not in allowed:
                raise SettingsError(f"{variable(name)} must be one of {', '.join(allowed)}.")
        if self.timestamp_authority not in ("", "none", "local") and not re.match(
            r"https?://", self.timestamp_authority
        ):
            raise SettingsError(f"{variable('timestamp_authority')} must be none, local, or an address with https://.")
        if self.quiet_hours != "none" and not QUIET_HOURS.fullmatch(self.quiet_hours):
            raise SettingsError(f"{variable('quiet_hours')} must be like 22:00-07:00, or none.")
        for entry in self.map_tiles.split():
            if entry in ("vec", "img"):
                if not self.map_tile_key:
                    raise SettingsError(f"{variable('map_tiles')} names Tianditu: set {variable('map_tile_key')} too.")
            elif not TILE_ADDRESSES.fullmatch(entry):
                raise SettingsError(
                    f"{variable('map_tiles')}: {entry} must be vec, img, or title=address with {{z}}, {{x}} and {{y}}."
                )
        if self.messages_per_hour < 1:
            raise SettingsError(f"{variable('messages_per_hour')} must be at least 1.")
        return self


def variable(name: str) -> str:
    """Return the environment variable that sets the setting `name`."""
    return f"QINGXU_{name.upper()}"


_current: Settings | None = None


def configure(settings: Settings) -> Settings:
    """Make `settings` those of this process."""
    global _current
    _current = settings
    return settings


def current() -> Settings:
    """Return this process's settings; raises SettingsError before `configure`."""
    if _current is None:
        raise SettingsError("The settings are not configured yet.")
    return _current
