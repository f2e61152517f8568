"""From candidates to a registry: whatever goes wrong with a plugin stays with that plugin."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter
from types import ModuleType
from typing import Any

import pluggy
from werkzeug.routing import Map

import backend
from backend.monitoring import faults, get_logger, logging_about, redact_text
from backend.plugin_api import hooks
from backend.plugin_api.records import PluginInfo
from backend.plugin_api.registry import Implementation, PluginStatus, Registry
from backend.plugins_host import discovery
from backend.plugins_host.collecting import Collection
from backend.plugins_host.discovery import IN_TREE, Candidate, Folder
from backend.plugins_host.kinds import KINDS, Kind, check_records
from backend.plugins_host.metadata import check_window, read_info
from backend.plugins_host.ordering import in_order_of_need
from backend.plugins_host.refusal import Refusal, broken, disabled, refused
from backend.settings import Settings

log = get_logger(__name__)


@dataclass
class Loading:
    """A plugin on its way in."""

    candidate: Candidate
    info: PluginInfo | None = None
    refusal: Refusal | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Return the plugin's name as far as it is known."""
        return self.candidate.name

    @property
    def needs(self) -> tuple[str, ...]:
        """Return the names of the plugins that it needs, once that is known."""
        return self.info.needs if self.info else ()

    def status(self) -> PluginStatus:
        """Say what became of the plugin."""
        return PluginStatus(
            name=self.name,
            title=self.info.title if self.info else "",
            version=self.info.version if self.info else "",
            state=self.refusal.state if self.refusal else "loaded",
            reason=self.refusal.zh if self.refusal else "",
            reason_en=self.refusal.en if self.refusal else "",
            external=self.candidate.external,
            source=self.candidate.source,
            folder=self.candidate.init_file().parent if self.refusal is None else None,
            notes=tuple(self.notes),
        )


def load_plugins(
    settings: Settings,
    *,
    core: Registry | None = None,
    url_map: Map | None = None,
    folders: Iterable[Folder] = IN_TREE,
    with_installed: bool = True,
    platform_version: str = backend.__version__,
) -> Registry:
    """Return the platform's own records (`core`) and those of all plugins that could be loaded.

    `url_map` holds the platform's addresses, which no plugin may take. Never raises because of a plugin: those that
    cannot be loaded are in `plugins` with the reason. Built-in plugins come first and win over external ones.
    """
    session = Session(settings, Collection(core or Registry(), url_map), platform_version)
    session.load(discovery.in_tree(folders))
    if with_installed:
        session.load(discovery.installed())
    statuses = sorted((each.status() for each in session.seen), key=lambda status: (status.external, status.name))
    return session.collection.finish(statuses)


class Session:
    """One run over all candidates."""

    def __init__(self, settings: Settings, collection: Collection, platform_version: str) -> None:
        self.settings = settings
        self.collection = collection
        self.platform_version = platform_version
        self.manager = pluggy.PluginManager(hooks.PROJECT)
        self.manager.add_hookspecs(hooks)
        self.loaded: set[str] = set()
        self.seen: list[Loading] = []

    def load(self, candidates: Iterable[Candidate]) -> None:
        """Check all candidates without running them, then load them in order of need."""
        fresh: dict[str, Loading] = {}
        for candidate in candidates:
            loading = Loading(candidate)
            self.seen.append(loading)
            if self.attempt(loading, self.inspect):
                fresh[loading.name] = loading
        order, circles = in_order_of_need({name: each.needs for name, each in fresh.items()})
        for name, circle in circles.items():
            self.refuse(fresh[name], circle)
        for name in order:
            if self.attempt(fresh[name], self.enter):
                self.loaded.add(name)

    def attempt(self, loading: Loading, step: Callable[[Loading], None]) -> bool:
        """Run one step; says whether the plugin is still in."""
        with logging_about(plugin=loading.name):
            try:
                step(loading)
            except Refusal as refusal:
                self.refuse(loading, refusal)
        return loading.refusal is None

    def refuse(self, loading: Loading, refusal: Refusal) -> None:
        """Keep the reason and tell the operator."""
        loading.refusal = refusal
        tell = log.info if refusal.state == "disabled" else log.error
        tell("plugin_not_loaded", plugin=loading.name, state=refusal.state, reason=refusal.en)

    def inspect(self, loading: Loading) -> None:
        """Decide by name and metadata, before any code of the plugin runs."""
        candidate = loading.candidate
        if first := next((each for each in self.seen if each.name == loading.name and each is not loading), None):
            raise broken(
                f"插件名 {loading.name} 已被 {first.candidate.source} 使用",
                f"{first.candidate.source} and {candidate.source} are both called {loading.name}",
            )
        unwanted = candidate.name in self.settings.disabled_plugins
        if unwanted or (candidate.external and self.settings.safe_mode):
            loading.info = info_if_any(candidate)
            raise (
                disabled("已在设置中停用", "Disabled by the settings")
                if unwanted
                else disabled("安全模式下不加载外部插件", "Safe mode starts without external plugins")
            )
        loading.info = info = read_info(candidate.init_file())
        if info.name != candidate.name:
            raise broken(
                f"PluginInfo 的 name 是 {info.name}，应为 {candidate.name}",
                f"PluginInfo names it {info.name}, and it is found as {candidate.name}",
            )
        if info.name in self.collection.modules_of_platform():
            raise broken(f"{info.name} 是平台保留的名称", f"The name {info.name} is the platform's own")
        check_window(info, self.platform_version)

    def enter(self, loading: Loading) -> None:
        """Run the plugin's code and take in what it adds."""
        if missing := sorted(set(loading.needs) - self.loaded):
            raise refused(
                f"所需插件未加载：{'、'.join(missing)}",
                f"It needs plugins that are not loaded: {', '.join(missing)}",
            )
        module = self.run(loading, "import", lambda: importlib.import_module(loading.candidate.module))
        self.collection.restore_documents()
        calls = self.implementations(loading, module)
        records: dict[str, list[Any]] = {kind.field: [] for kind in KINDS}
        for kind in KINDS:
            if hook := calls.pop(kind.hook, None):
                collect = partial(collected, kind, hook)
                records[kind.field] = self.run(loading, f"hook {kind.hook}", collect)
        external = loading.candidate.external
        self.run(loading, "records", lambda: self.collection.add(loading.name, records, calls, external=external))

    def implementations(self, loading: Loading, module: ModuleType) -> dict[str, Implementation]:
        """Return the plugin's hooks by name; raises Refusal for a hook that is unknown or reaches into others."""
        self.run(loading, "register", lambda: self.manager.register(module, loading.name))
        found = {}
        for caller in self.manager.get_hookcallers(module) or ():
            mine = [each for each in caller.get_hookimpls() if each.plugin is module]
            if not caller.has_spec():
                raise broken(f"没有名为 {caller.name} 的钩子", f"There is no hook called {caller.name}")
            if any(each.wrapper or each.hookwrapper for each in mine):
                raise broken(f"钩子 {caller.name} 不可包裹他人", f"{caller.name} must not wrap the hooks of others")
            found[caller.name] = Implementation(plugin=loading.name, call=accepting(mine[0]))
        return found

    def run(self, loading: Loading, where: str, work: Callable[[], Any]) -> Any:
        """Run a plugin's code: any error, `sys.exit` too, breaks that plugin alone; slow code gets a note."""
        started = perf_counter()
        try:
            result = work()
        except (Refusal, KeyboardInterrupt):
            raise
        except BaseException as error:
            faults.record(loading.name, where, error)
            text = redact_text(f"{type(error).__name__}: {error}")[:300]
            raise broken(f"{STEPS.get(where, where)} 出错：{text}", f"{where} raised {text}") from error
        seconds = perf_counter() - started
        if seconds > self.settings.slow_hook_seconds:
            loading.notes.append(f"{STEPS.get(where, where)} 用时 {seconds:.1f} 秒，拖慢启动")
            log.warning("plugin_slow", plugin=loading.name, where=where, seconds=round(seconds, 1))
        return result


STEPS = {"import": "导入代码", "register": "登记钩子", "records": "检查登记内容"}


def collected(kind: Kind, hook: Implementation) -> list[Any]:
    """Return the records that a hook answers; a hook may also yield them."""
    return check_records(kind, hook.plugin, hook.call())


def accepting(implementation: pluggy.HookImpl) -> Callable[..., Any]:
    """Return a plugin's hook as a function that passes over the arguments that the plugin does not ask for."""
    return lambda **arguments: implementation.function(*(arguments[name] for name in implementation.argnames))


def info_if_any(candidate: Candidate) -> PluginInfo | None:
    """Return what a plugin that is not to be loaded says of itself."""
    try:
        return read_info(candidate.init_file())
    except Refusal:
        return None
