event-became = { $address } became { $into } by { $by }
event-left-out = { $address }, which { $by } names, does not exist here: it was left out
event-owner = the sender of the copies for { $list } is its owner { $owner }, who hears of failures
event-forwarded = forwarded to elsewhere: the sender { $sender } goes on as { $rewritten }, so that the next server does not take it for a forgery
event-returned = { $rewritten } is a forwarded sender that came back: it stands for { $sender }
event-sender-unknown = no report: the sender's address is in a domain of ours, and nobody there has it
story-and-others = and { $n } others
step-went-delivered-before = the message has been in the mailbox { $mailbox } before ({ $times } ×): forwarding leads it back

# An address that stands for several.

expanded-subject = Passed on to several: { $address }
expanded-subject-several = { $n } addresses stand for several
expanded-alias = { $address }: this address stands for several, and your message goes on to them. You will not hear of each that it arrived; if it does not, you will.
expanded-list = { $address }: the list has your message and sends it to its members. What becomes of their copies is told to whoever looks after the list.
event-expansion-reported = its sender was told that the address stands for several, in the report { $report }
