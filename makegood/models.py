"""All tables, so that Django finds them; each stands in the folder of its noun."""

from makegood.api.models import IdempotencyKey
from makegood.cases.models import *  # noqa: F403
from makegood.conversations.models import (
    Attachment,
    Blob,
    Delivery,
    Draft,
    Letter,
    LetterSource,
    Mailbox,
    Message,
    SearchEntry,
)
from makegood.escalation.models import Absence, Climb, Handover, Shift
from makegood.incidents.models import CardField, Decision, Room, RoomMember, RoomMessage, Task, Thanks
from makegood.jobs.models import LoadedRow
from makegood.people.calendars import Calendar, CalendarVersion
from makegood.people.models import ApiToken, Customer, Shop, SignInLink, Team, User
from makegood.promises.models import Appointment, Promise
from makegood.transactions.models import Order, Payment, Shipment

__all__ = [
    "Absence",
    "ApiToken",
    "Appointment",
    "Attachment",
    "Blob",
    "Calendar",
    "CalendarVersion",
    "CardField",
    "Climb",
    "Customer",
    "Decision",
    "Delivery",
    "Draft",
    "Handover",
    "IdempotencyKey",
    "Letter",
    "LetterSource",
    "LoadedRow",
    "Mailbox",
    "Message",
    "Order",
    "Payment",
    "Promise",
    "Room",
    "RoomMember",
    "RoomMessage",
    "SearchEntry",
    "Shift",
    "Shipment",
    "Shop",
    "SignInLink",
    "Task",
    "Team",
    "Thanks",
    "User",
]
