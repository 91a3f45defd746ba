"""Small servers that behave like the shops and providers we connect, with a memory and with switches for what goes wrong."""

from tests.connectors.fakes.base import Fake
from tests.connectors.fakes.graph import FakeVendure
from tests.connectors.fakes.rest import FakeMedusa, FakePortOne, FakeToss
from tests.connectors.fakes.shop import FakeShop
from tests.connectors.fakes.stripe import FakeStripe

ALL: tuple[type[Fake], ...] = (FakeShop, FakeStripe, FakeVendure, FakeMedusa, FakeToss, FakePortOne)
