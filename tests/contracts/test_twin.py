"""Random days, on the contracts and on a twin of their arithmetic in plain Python."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.chain import Receipt
from contracts.promise import (
    Clearing,
    Coordination,
    Delivery,
    Member,
    Report,
    Schedule,
    Settlement,
)
from contracts.timegrid import TimeGrid

# Elsewhere each block moves the clock by itself, and a day of hundreds of them takes minutes.
pytest.importorskip("pyrevm", reason="random days need pyrevm, which has no wheel here")

STEP_S, GRACE_S, TOLERANCE_S, FEE_BP = 1800, 600, 60, 1000
SLOTS = 4
BOUNDARY_TOLERANCE_BP = 100
START = datetime(2026, 6, 1, tzinfo=UTC)


@dataclass(kw_only=True)
class Home:
    capacity_wh: int
    grid_power_w: int
    interval: int
    reported_at: int
    soc_bp: int | None = None
    export_weight: int = 0


@dataclass(kw_only=True)
class Twin:
    """The same rules, with nothing packed and every sum taken afresh."""

    schedule: Schedule
    homes: dict[str, Home] = field(default_factory=dict)
    exports: dict[tuple[str, int], int] = field(default_factory=dict)

    def promise(self, interval: int) -> tuple[int, int, bool]:
        slot = interval - self.schedule.grid.first_interval
        if not 0 <= slot < self.schedule.grid.count:
            return 0, 0, False
        schedule = self.schedule
        return schedule.soc_bp[slot], schedule.commitment_wh[slot], schedule.steered[slot]

    def refusal(self, report: Report, now_s: int) -> str | None:
        home = self.homes.get(report.account)
        if home is None:
            return "FleetMemberUnknown"
        begin_s = report.interval * STEP_S
        sum_wh = self.exports.get((report.account, report.interval), 0) + report.net_export_wh
        sum_limit_ws = home.grid_power_w * (min(now_s - begin_s, STEP_S) + TOLERANCE_S)
        limit_ws = home.grid_power_w * (now_s - home.reported_at + TOLERANCE_S)
        wrong = {
            "FleetSocRange": report.soc_bp > 10_000,
            "FleetIntervalFuture": report.interval > now_s // STEP_S,
            "FleetIntervalOver": now_s >= (report.interval + 1) * STEP_S + GRACE_S,
            "FleetIntervalOrder": report.interval < home.interval,
            "FleetEnergyLimit": abs(report.net_export_wh) * 3600 > limit_ws,
            "FleetIntervalEnergyLimit": abs(sum_wh) * 3600 > sum_limit_ws,
        }
        return next((name for name, applies in wrong.items() if applies), None)

    def report(self, report: Report, now_s: int) -> str | None:
        refused = self.refusal(report, now_s)
        if refused:
            return refused
        home = self.homes[report.account]
        key = (report.account, report.interval)
        self.exports[key] = self.exports.get(key, 0) + report.net_export_wh
        home.interval, home.reported_at, home.soc_bp = report.interval, now_s, report.soc_bp
        target = self.promise(now_s // STEP_S)[0]
        fit = report.net_export_wh >= 0 and report.soc_bp >= target
        home.export_weight = report.soc_bp if fit else 0
        return None

    def exported(self, interval: int) -> list[int]:
        return [wh for (_, at), wh in self.exports.items() if at == interval]

    def delivery(self, interval: int) -> Delivery:
        exported = self.exported(interval)
        return Delivery(
            interval=interval,
            commitment_wh=self.promise(interval)[1],
            delivered_wh=sum(exported),
            exported_wh=sum(wh for wh in exported if wh > 0),
        )

    def coordination(self, account: str, interval: int) -> Coordination:
        soc_bp, commitment_wh, steered = self.promise(interval)
        batteries = [h for h in self.homes.values() if h.capacity_wh and h.soc_bp is not None]
        home = self.homes[account]
        export_ppb = import_ppb = 0
        if home in batteries:
            weights = [each.export_weight for each in batteries]
            own = home.export_weight
            if not any(weights):
                weights, own = [each.soc_bp for each in batteries], home.soc_bp
            export_ppb = own * 10**9 // sum(weights) if any(weights) else 0
            room = sum(10_000 - each.soc_bp for each in batteries)
            import_ppb = (10_000 - home.soc_bp) * 10**9 // room if room else 0
        return Coordination(
            remaining_export_wh=commitment_wh - sum(self.exported(interval)),
            export_weight_ppb=export_ppb,
            import_weight_ppb=import_ppb,
            steered=steered,
            soc_bp=soc_bp,
            commitment_wh=commitment_wh,
        )

    def settlement(
        self, clearing: Clearing, carried_micro: int, boundary_wh: int | None
    ) -> Settlement:
        done = self.delivery(clearing.interval)
        delivered_wh, scaled = done.delivered_wh, False
        if boundary_wh is not None:
            allowed = abs(boundary_wh) * BOUNDARY_TOLERANCE_BP
            scaled = abs(delivered_wh - boundary_wh) * 10_000 > allowed
            delivered_wh = boundary_wh if scaled else delivered_wh
        deviation_wh = abs(delivered_wh - done.commitment_wh)
        revenue = (
            done.commitment_wh * clearing.price_micro_per_mwh
            - deviation_wh * clearing.imbalance_price_micro_per_mwh
        ) // 10**6
        repaid = max(0, min(revenue, carried_micro))
        shared = max(0, revenue) - repaid
        fee = shared * FEE_BP // 10_000 if done.exported_wh else shared
        return Settlement(
            interval=clearing.interval,
            revenue_micro=revenue,
            fee_micro=fee,
            pool_micro=shared - fee,
            repaid_micro=repaid,
            loss_micro=max(0, -revenue),
            boundary_wh=boundary_wh,
            scaled=scaled,
        )

    def credit(self, account: str, settled: Settlement) -> int:
        exported_wh = self.delivery(settled.interval).exported_wh
        own_wh = max(0, self.exports.get((account, settled.interval), 0))
        return settled.pool_micro * own_wh // exported_wh if own_wh else 0


STEPS = st.lists(
    st.tuples(
        st.integers(0, 900),  # seconds since the step before
        st.integers(0, 3),  # who: the last one is a stranger
        st.integers(-1, 2),  # intervals back
        st.integers(-900, 1500),  # Wh
        st.integers(0, 10_100),  # state of charge
    ),
    max_size=40,
)
BOUNDARIES = st.none() | st.integers(-5, 5) | st.integers(-2000, 4000)
PRICES = st.integers(-200_000_000, 400_000_000)


def drawn_schedule(data) -> Schedule:
    return Schedule(
        grid=TimeGrid(start=START, step_s=STEP_S, count=SLOTS),
        soc_bp=tuple(data.draw(st.integers(0, 10_000)) for _ in range(SLOTS)),
        commitment_wh=tuple(data.draw(st.integers(1, 4000)) for _ in range(SLOTS)),
        steered=(True,) * SLOTS,
    )


def enrolled(world, promised: Schedule) -> Twin:
    """Enrol two homes and a plant without battery, here and there."""
    twin = Twin(schedule=promised)
    now_s = world.chain.now_s()
    for account, capacity_wh in zip(world.homes, (10_000, 5_000, 0), strict=True):
        member = Member(account=account, capacity_wh=capacity_wh, grid_power_w=12_000)
        world.ledger.fleet.enrol([member])
        twin.homes[account] = Home(
            capacity_wh=capacity_wh,
            grid_power_w=12_000,
            interval=now_s // STEP_S,
            reported_at=now_s,
        )
    return twin


@settings(max_examples=60)
@given(data=st.data(), steps=STEPS)
def test_a_random_day_is_what_its_twin_says(build_world, data, steps):
    world = build_world()
    promised = drawn_schedule(data)
    world.ledger.fleet.publish(promised)
    twin = enrolled(world, promised)
    now_s = promised.grid.first_interval * STEP_S

    for seconds, who, back, energy_wh, soc_bp in steps:
        now_s += seconds
        world.chain.set_time(now_s)
        report = Report(
            account=(*world.homes, world.stranger)[who],
            interval=now_s // STEP_S - back,
            net_export_wh=energy_wh,
            soc_bp=soc_bp,
        )
        (outcome,) = world.ledger.fleet.report_all([report])
        ours = None if isinstance(outcome, Receipt) else type(outcome).__name__
        assert ours == twin.report(report, now_s)

    assert_same_state(world, twin)
    assert_same_money(world, twin, data, max(now_s, promised.grid.end.timestamp()))


def assert_same_state(world, twin: Twin) -> None:
    fleet = world.ledger.fleet
    # Ten hours of steps at most.
    for interval in range(world.first - 2, world.first + 21):
        assert fleet.delivery(interval) == twin.delivery(interval)
        for home in world.homes:
            assert fleet.export_wh(home, interval) == twin.exports.get((home, interval), 0)
        answers = fleet.coordinate(world.homes, interval)
        assert answers == [twin.coordination(home, interval) for home in world.homes]
        assert sum(each.export_weight_ppb for each in answers) <= 10**9
        assert sum(each.import_weight_ppb for each in answers) <= 10**9


def assert_same_money(world, twin: Twin, data, end_s: float) -> None:
    settlement, token = world.ledger.settlement, world.ledger.token
    bond_micro = data.draw(st.integers(0, 500_000))
    settlement.deposit_bond(bond_micro)
    settlement.fund(10_000_000)
    world.chain.set_time(int(end_s) + GRACE_S)
    carried = paid_to_market = 0
    settled = []
    for slot in range(SLOTS):
        clearing = Clearing(
            interval=world.first + slot,
            price_micro_per_mwh=data.draw(PRICES),
            imbalance_price_micro_per_mwh=data.draw(PRICES),
        )
        # Now and then the sum of the reports, or close to it: it need not be scaled.
        boundary_wh = data.draw(BOUNDARIES)
        if boundary_wh in range(-5, 6):
            boundary_wh += twin.delivery(clearing.interval).delivered_wh
        if boundary_wh is not None:
            settlement.post_boundary(clearing.interval, boundary_wh)
        settlement.post([clearing])
        (found,) = settlement.settle([clearing.interval])
        assert found == twin.settlement(clearing, carried, boundary_wh)
        from_bond = min(found.loss_micro, bond_micro)
        bond_micro -= from_bond
        carried += found.loss_micro - from_bond - found.repaid_micro
        paid_to_market += from_bond + found.repaid_micro
        settled.append(found)

    owed = {home: sum(twin.credit(home, each) for each in settled) for home in world.homes}
    paid = {home: settlement.claim(home, world.first, SLOTS) for home in world.homes}
    again = [settlement.claim(home, world.first, SLOTS) for home in world.homes]
    fee = settlement.claim_fee()

    books = settlement.books()
    pools = sum(each.pool_micro for each in settled)
    assert paid == owed
    assert again == [0, 0, 0]
    assert fee == sum(each.fee_micro for each in settled)
    assert (books.losses_micro, settlement.claim_losses()) == (paid_to_market, paid_to_market)
    assert token.balance_micro(world.market) == paid_to_market
    assert books.credits_micro == pools - sum(paid.values()) < len(settled) * len(world.homes)
    assert books.carried_loss_micro == carried
    assert books.balance_micro == (
        books.bond_micro + books.funds_micro + books.credits_micro + books.losses_micro
    )
    assert books.funds_micro == 10_000_000 - sum(
        each.fee_micro + each.pool_micro + each.repaid_micro for each in settled
    )
