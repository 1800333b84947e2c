# Who must act.
who-sender = The sender of the message.
who-us = Whoever runs this relay.
who-network = Nobody yet: this is the network between, and usually passes. If it lasts, whoever runs this relay.
who-receiver = Whoever runs the receiving mail server.
who-recipient = The person the message is for.

# What to do.
do-wait = Nothing needs to be done: the next attempt usually succeeds.
do-correct-address = Check the spelling of the address, correct it, and send the message again.
do-tell-recipient-to-make-room = Tell the recipient in another way (by telephone, for instance) that their mailbox is full.
do-send-smaller = Send less: leave out attachments or make them smaller, or send a link.
do-ask-receiver = Ask the administrator of the receiving server, and show the words of their server that stand here.
do-mend-route = Check the routes of this relay and the MX records of the recipient's domain.
do-mend-our-configuration = Correct the configuration of this relay (postrider config check), then: postrider queue retry.
do-mend-our-network = Check this machine's network, its firewall and its provider: outgoing port 25 is often blocked.
do-prove-identity = Publish or correct the records of the sender's domain (SPF, DKIM, DMARC) and the reverse DNS of this server.
do-delist = Find and remove the reason for the listing, then ask the operator of the list to take the address off it.
do-send-slower = Send less at a time to this receiver.
do-change-content = Change what the filter may object to (links, attachments, wording), and send the message again.
do-break-loop = Look for a forward that leads back to itself, and remove it.
do-ask-whether-it-arrived = Ask the recipient whether the message has come before you send it again yourself.

# What happens next.
next-delivered = Nothing: the message has been delivered.
next-retry = Your mail is not lost. The next attempt is { $when }.
next-retry-asked = Your mail is not lost. The next attempt is { $when }, because the receiver asked for { $wait }.
next-retry-last = Your mail is not lost yet. The last attempt is { $when }, when it has waited as long as a message may.
next-retry-admin = Your mail is not lost. The next attempt is { $when }, as the administrator asked.
next-transaction = Your mail is not lost. It goes on at once, in the next delivery to the same server.
next-resume = Your mail is not lost. It waits until the administrator lets this destination go on.
next-hold = Your mail is not lost. It is held until the administrator releases it.
next-fail = The message was not delivered to this recipient, and no more attempts are made. The sender is told.
next-waits = Your mail is not lost. It is kept and will be tried again.

# Times.
when-now = now
when-at = at { $time } (in { $span })
when-past = due since { $time }
span-seconds = { $n ->
    [one] { $n } second
   *[other] { $n } seconds
}
span-minutes = { $n ->
    [one] { $n } minute
   *[other] { $n } minutes
}
span-hours = { $n ->
    [one] { $n } hour
   *[other] { $n } hours
}
span-days = { $n ->
    [one] { $n } day
   *[other] { $n } days
}
