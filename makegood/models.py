"""All tables, so that Django finds them; each stands in the folder of its noun."""

from makegood.api.models import IdempotencyKey
from makegood.cases.models import *  # noqa: F403
from makegood.connectors.models import Circuit
from makegood.conversations.models import (
    AsksDeclined,
    Attachment,
    Blob,
    CannedReply,
    Delivery,
    Draft,
    DraftVersion,
    HeldFile,
    HeldReply,
    HelperTask,
    Letter,
    LetterSource,
    Mailbox,
    Message,
    OnCopy,
    ReplyOverride,
    RuleLevel,
    SearchEntry,
)
from makegood.escalation.models import Absence, Climb, Handover, Shift
from makegood.incidents.models import CardField, Decision, Room, RoomMember, RoomMessage, Task, Thanks
from makegood.jobs.models import LoadedRow
from makegood.parties.models import Party, PartyAnswer, PartyAsk, PartySending
from makegood.people.calendars import Calendar, CalendarVersion
from makegood.people.models import ApiToken, Customer, Shop, SignInLink, Team, User
from makegood.people.signatures import Habit, Signature
from makegood.promises.models import Appointment, Promise
from makegood.promises.switches import ClockSwitch
from makegood.transactions.models import Order, Payment, Shipment
from makegood.ways.models import NoticeOut, Quiet, Way
from makegood.webhooks.models import Hook, HookCall, HookTry

__all__ = [
    "Absence",
    "ApiToken",
    "Appointment",
    "AsksDeclined",
    "Attachment",
    "Blob",
    "Calendar",
    "CalendarVersion",
    "CannedReply",
    "CardField",
    "Circuit",
    "Climb",
    "ClockSwitch",
    "Customer",
    "Decision",
    "Delivery",
    "Draft",
    "DraftVersion",
    "Habit",
    "Handover",
    "HeldFile",
    "HeldReply",
    "HelperTask",
    "Hook",
    "HookCall",
    "HookTry",
    "IdempotencyKey",
    "Letter",
    "LetterSource",
    "LoadedRow",
    "Mailbox",
    "Message",
    "NoticeOut",
    "OnCopy",
    "Order",
    "Party",
    "PartyAnswer",
    "PartyAsk",
    "PartySending",
    "Payment",
    "Promise",
    "Quiet",
    "ReplyOverride",
    "Room",
    "RoomMember",
    "RoomMessage",
    "RuleLevel",
    "SearchEntry",
    "Shift",
    "Shipment",
    "Shop",
    "SignInLink",
    "Signature",
    "Task",
    "Team",
    "Thanks",
    "User",
    "Way",
]
