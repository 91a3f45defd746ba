"""What was said, and the letters that carry it in and out."""

from makegood.conversations.models.helped import HelperTask
from makegood.conversations.models.letters import (
    AsksDeclined,
    Delivery,
    Letter,
    LetterSource,
    Mailbox,
    OnCopy,
)
from makegood.conversations.models.replies import (
    CannedReply,
    DraftVersion,
    HeldFile,
    HeldReply,
    ReplyOverride,
    RuleLevel,
)
from makegood.conversations.models.said import Attachment, Blob, Draft, Message, SearchEntry

__all__ = [
    "AsksDeclined",
    "Attachment",
    "Blob",
    "CannedReply",
    "Delivery",
    "Draft",
    "DraftVersion",
    "HeldFile",
    "HeldReply",
    "HelperTask",
    "Letter",
    "LetterSource",
    "Mailbox",
    "Message",
    "OnCopy",
    "ReplyOverride",
    "RuleLevel",
    "SearchEntry",
]
