"""An adapter's certificates, a desk over an emulated inverter, and a plain MQTT client."""

import asyncio
import ssl
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import aiomqtt
import pytest

from devices.adapter.certificates import make_certificates
from devices.adapter.desk import Desk
from devices.adapter.messages import MONITORING
from devices.adapter.storages import storage_opener
from devices.battery_model import BatteryModel
from devices.emulators.house import EmulatedHome
from devices.emulators.sunspec import SunSpecEmulator
from devices.hand_clock import HandClock
from devices.write_log import WriteLog


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    """Return the certificates of an adapter on 127.0.0.1."""
    return make_certificates(
        tmp_path_factory.mktemp("tls"), hosts=("127.0.0.1",), now=datetime.now(UTC)
    )


@pytest.fixture
def client_of(certificates):
    """Return what connects a plain MQTT client that hears the adapter's answers."""

    @asynccontextmanager
    async def connect(port, wait_s=30, **options):
        context = ssl.create_default_context(cafile=certificates.ca)
        if "cert" in options:
            context.load_cert_chain(*options.pop("cert"))
        client = aiomqtt.Client("127.0.0.1", port, tls_context=context, timeout=wait_s, **options)
        async with client:
            await client.subscribe(MONITORING, qos=1)
            yield client

    return connect


@pytest.fixture
def desk_at():
    """Return what opens a desk beside an emulated SunSpec inverter."""

    @asynccontextmanager
    async def open_desk(*, soc=0.5, load_w=500.0, pv_w=0.0):
        clock = HandClock()
        home = EmulatedHome(
            model=BatteryModel.lfp(1),
            soc=soc,
            clock=clock.monotonic_s,
            demand=lambda _: (load_w, pv_w),
        )
        inverter = SunSpecEmulator(home, clock=clock)
        await inverter.start()
        with WriteLog() as log:
            desk = Desk(storage_opener(clock=clock, log=log, timeout_s=10.0), clock=clock)
            try:
                yield desk, home, clock, int(inverter.settings["port"])
            finally:
                async with asyncio.timeout(60):
                    await desk.close()
                await inverter.stop()

    return open_desk
