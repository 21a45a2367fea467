"""A loss is told once, and once when it is over."""

from hems.agent.health import Health


def test_a_loss_is_told_once_and_its_end_once():
    lines = []
    health = Health(lines.append)
    health.back("meter")
    health.lost("meter", "no answer within 2 s;\n  see whether it is switched on")
    health.lost("meter", "no answer within 2 s, again")
    assert dict(health.standing) == {"meter": "no answer within 2 s, again"}
    health.back("meter")
    health.back("meter")

    assert lines == [
        "meter lost: no answer within 2 s; see whether it is switched on",
        "meter back",
    ]
    assert dict(health.standing) == {}
