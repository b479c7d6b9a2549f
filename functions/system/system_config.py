"""/system/config: the settings that may change at run time."""

from shared.edge import Request, endpoint
from shared.system.configuration_records import Configuration, ConfigurationView

system_config = endpoint(__name__, "/system/config")


@system_config.get(role="super_admin", etag=True)
def read(request: Request) -> ConfigurationView:  # noqa: ARG001 - a handler takes the request
    """Every setting, with its version as ETag; defaults until the first change."""
    from shared.system import configuration

    return configuration.view(configuration.read())


@system_config.put(
    role="super_admin", audit="configuration.updated", etag=True, if_match=True, raises=(409,)
)
def change(request: Request[Configuration]) -> ConfigurationView:
    """The changed settings, in force everywhere within 30 s; raises StaleVersion (412)."""
    from shared.system import configuration

    changed = configuration.change(request.body, request.if_match, request.actor)
    return configuration.view(changed)
