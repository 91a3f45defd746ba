"""What was said, and the letters that carry it in and out."""

from makegood.conversations.models.letters import Delivery, Letter, LetterSource, Mailbox
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
    "Attachment",
    "Blob",
    "CannedReply",
    "Delivery",
    "Draft",
    "DraftVersion",
    "HeldFile",
    "HeldReply",
    "Letter",
    "LetterSource",
    "Mailbox",
    "Message",
    "ReplyOverride",
    "RuleLevel",
    "SearchEntry",
]
