"""Keeps Home Assistant told: the gateway's description once, its state again and again."""

from collections.abc import Callable
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

from devices.clock import Clock
from hems.agent.health import Health
from hems.agent.mqtt.homeassistant import discovery, discovery_topic, state
from hems.agent.mqtt.settings import HomeAssistantSettings, Topics
from hems.agent.reading import Reading
from hems.agent.standing import Standing
from hems.agent.store import Store
from hems.agent.ticks import Ticks
from hems.errors import BrokerRefusedError, StoreError

if TYPE_CHECKING:
    from hems.agent.mqtt.link import Connection

THING: Final = "Home Assistant"
"""What the log calls it."""
STALE_S: Final = 60.0
"""A reading older than this is not shown. [s]"""
_SCHEMA: Final = "CREATE TABLE IF NOT EXISTS described (topic TEXT PRIMARY KEY) WITHOUT ROWID;"


class Panel:
    """Describe the gateway to Home Assistant and show what is known; removable.

    Parameters
    ----------
    settings : HomeAssistantSettings
        Whether and where.
    topics : Topics
        The gateway's topics.
    name : str
        What the owner calls the home.
    store : Store
        Remembers where the gateway was described, so that it can be removed there.
    clock : Clock
        The time.
    health : Health
        Is told when the broker does not take it, which ends nothing else.
    """

    def __init__(
        self,
        settings: HomeAssistantSettings,
        topics: Topics,
        *,
        name: str,
        store: Store,
        clock: Clock,
        health: Health,
    ) -> None:
        self._settings = settings
        self._topics = topics
        self._name = name
        self._store = store
        self._clock = clock
        self._health = health
        self._latest: Reading | None = None
        store.create(_SCHEMA)

    def add(self, reading: Reading) -> None:
        """Keep the latest reading."""
        self._latest = reading

    async def introduce(self, connection: "Connection") -> None:
        """Describe the gateway, or remove what was described before it was switched off.

        Raises
        ------
        BrokerError
            If the connection ends.
        """
        topic = discovery_topic(self._settings, self._topics.device_id)
        try:
            known = {str(each) for (each,) in self._store.rows("SELECT topic FROM described")}
            wanted = {topic} if self._settings.enabled else set()
            for old in known - wanted:
                await connection.publish(old, b"", retain=True)
            if known != wanted:
                self._remember(wanted)
            if self._settings.enabled:
                told = discovery(
                    self._settings, self._topics, name=self._name, version=version("gridpact")
                )
                await connection.publish(topic, told, retain=True)
        except (BrokerRefusedError, StoreError) as error:
            self._health.lost(THING, str(error))

    async def show(self, connection: "Connection", facts: Callable[[], Standing | None]) -> None:
        """Publish the state at an even pace, until the connection ends.

        Raises
        ------
        BrokerError
            When it does.
        """
        ticks = Ticks(self._settings.state_s, clock=self._clock, at_once=True)
        while True:
            await ticks.wait()
            if not self._settings.enabled:
                continue
            try:
                await connection.publish(
                    self._topics.state,
                    state(self._fresh(), facts()),
                    expires_in_s=3 * self._settings.state_s,
                )
            except BrokerRefusedError as error:
                self._health.lost(THING, str(error))
            else:
                self._health.back(THING)

    def _fresh(self) -> Reading | None:
        latest = self._latest
        if latest is None or self._clock.monotonic_s() - latest.monotonic_s > STALE_S:
            return None
        return latest

    def _remember(self, topics: set[str]) -> None:
        with self._store.transaction() as base:
            base.execute("DELETE FROM described")
            base.executemany("INSERT INTO described VALUES (?)", [(each,) for each in topics])
