event-became = { $address } became { $into } by { $by }
event-left-out = { $address }, which { $by } names, does not exist here: it was left out
event-owner = the sender of the copies for { $list } is its owner { $owner }, who hears of failures
event-forwarded = forwarded to elsewhere: the sender { $sender } goes on as { $rewritten }, so that the next server does not take it for a forgery
event-returned = { $rewritten } is a forwarded sender that came back: it stands for { $sender }
event-sender-unknown = no report: the sender's address is in a domain of ours, and nobody there has it
story-and-others = and { $n } others
step-went-delivered-before = the message has been in the mailbox { $mailbox } before ({ $times } ×): forwarding leads it back
