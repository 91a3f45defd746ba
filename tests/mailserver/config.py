"""What the two servers are configured with; ``{names}`` are filled in when they start."""

from __future__ import annotations

DOVECOT = """
instance_name = {name}
base_dir = {dir}/run
state_dir = {dir}/state
log_path = {dir}/dovecot.log
listen = 127.0.0.1
protocols = imap lmtp
ssl = yes
ssl_cert = <{dir}/cert.pem
ssl_key = <{dir}/key.pem
disable_plaintext_auth = no
auth_mechanisms = plain login xoauth2 oauthbearer
auth_verbose = yes
auth_username_format = %Lu
auth_failure_delay = 0
recipient_delimiter = +
lmtp_hdr_delivery_address = original
mail_location = maildir:{dir}/mail/%u
first_valid_uid = 1
mail_max_userip_connections = 50
namespace inbox {{
  inbox = yes
}}
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {dir}/oauth2.conf
}}
passdb {{
  driver = passwd-file
  args = scheme=PLAIN {dir}/users
}}
userdb {{
  driver = passwd-file
  args = {dir}/users
  default_fields = uid=mail gid=mail home={dir}/mail/%u
}}
service imap-login {{
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    port = {lmtp}
  }}
}}
"""
OAUTH2 = """
introspection_mode = auth
introspection_url = http://127.0.0.1:{oauth}/introspect?token=
username_attribute = email
tokeninfo_url = http://127.0.0.1:{oauth}/introspect?token=
active_attribute = active
active_value = yes
timeout_msecs = 3000
"""
MAIN = """
compatibility_level = 3.6
queue_directory = {dir}/spool
data_directory = {dir}/data
mail_owner = postfix
setgid_group = postdrop
maillog_file = {dir}/postfix.log
maillog_file_prefixes = {dir}
multi_instance_name = postfix-{name}
myhostname = mx.makegood.example
mydestination =
alias_maps =
alias_database =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_peername_lookup = no
virtual_mailbox_domains = {domains}
virtual_transport = lmtp:inet:127.0.0.1:{lmtp}
transport_maps = inline:{{ pipe.example=makegood: }}
makegood_destination_recipient_limit = 1
recipient_delimiter = +
disable_dns_lookups = yes
notify_classes =
queue_run_delay = 1s
minimal_backoff_time = 1s
maximal_backoff_time = 2s
message_size_limit = 60000000
mailbox_size_limit = 0
"""
MASTER = """
127.0.0.1:{smtp} inet n - n - - smtpd
pickup    unix  n - n 60    1 pickup
cleanup   unix  n - n -     0 cleanup
qmgr      unix  n - n 300   1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n -     - trivial-rewrite
bounce    unix  - - n -     0 bounce
defer     unix  - - n -     0 bounce
trace     unix  - - n -     0 bounce
verify    unix  - - n -     1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n -     - proxymap
smtp      unix  - - n -     - smtp
error     unix  - - n -     - error
retry     unix  - - n -     - error
discard   unix  - - n -     - discard
lmtp      unix  - - n -     - lmtp
anvil     unix  - - n -     1 anvil
scache    unix  - - n -     1 scache
postlog   unix-dgram n - n - 1 postlogd
makegood  unix  - n n -     - pipe
  flags=Rq user=nobody argv=/usr/bin/python3 {dir}/pipe.py {dir}/pipe.sock ${{recipient}}
"""
# What postfix runs. It may not run as root and may not see our files, so it hands the letter to the test and gives back
# the test's exit code; the letter, the arguments and what postfix does with the code are the real ones.
PIPE = """
import socket, sys
with socket.socket(socket.AF_UNIX) as line:
    try:
        line.connect(sys.argv[1])
    except OSError:
        sys.exit(75)
    line.sendall(sys.argv[2].encode() + b"\\0" + sys.stdin.buffer.read())
    line.shutdown(socket.SHUT_WR)
    said = line.recv(10)
sys.exit(int(said or b"75"))
"""
