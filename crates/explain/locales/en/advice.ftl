# Who must act.
who-sender = The sender of the message.
who-us = Whoever runs the sending mail server.
who-network = Nobody yet: this is the network between, and usually passes. If it lasts, whoever runs the sending mail server.
who-receiver = Whoever runs the receiving mail server.
who-nobody = Nobody: this is no failure.
who-recipient = The person the message is for.

# What to do.
do-wait = Nothing needs to be done: the next attempt usually succeeds.
do-correct-address = Check the spelling of the address, correct it, and send the message again.
do-correct-sender = Send with an address that belongs to the account: check the From address in the mail program.
do-tell-recipient = Tell the recipient in another way (by telephone, for instance) what stands here: only they can change it.
do-tell-recipient-to-make-room = Tell the recipient in another way (by telephone, for instance) that their mailbox is full.
do-ask-recipient = Ask the recipient in another way (by telephone, for instance) to let your address through.
do-ask-receiver = Ask the administrator of the receiving server, and show the words of their server that stand here.
do-ask-own-provider = Ask your own mail provider or IT department, and pass on this whole text.
do-ask-whether-it-arrived = Ask the recipient whether the message has come before you send it again yourself.
do-send-again = Send the message again.
do-send-smaller = Send less: leave out attachments or make them smaller, or send a link.
do-send-slower = Send less at a time to this receiver.
do-stop-unwanted = Do not write any more to people who do not want it: take those who complain off the list, and offer an easy way to unsubscribe.
do-change-content = Change what the filter may object to (links, attachments, wording), and send the message again.
do-scan-own-machine = Have the computer that the message comes from checked for viruses before you send anything else.
do-mend-route = Check the routes of the sending server and the MX records (which name the mail server) of the recipient's domain.
do-mend-our-configuration = Correct the configuration of the sending server. With Postrider: postrider config check, then postrider queue retry.
do-mend-our-network = Check the sending server's network, its firewall and its provider: outgoing port 25, which mail needs, is often blocked.
do-mend-login = Check the user name, the password and the way of logging in that are set for this server.
do-mend-helo = Have the sending server introduce itself by its full name (such as mail.example.org), one that leads to its own network address.
do-mend-path-mtu = Let ICMP type 3 code 4 (IPv6: type 2) through every firewall between here and there. Until that is so: clamp the segment size where the small link begins (nftables: tcp flags syn tcp option maxseg size set rt mtu; iptables: -j TCPMSS --clamp-mss-to-pmtu), or lower the MTU of this machine's interface, or let its kernel find out by itself (sysctl net.ipv4.tcp_mtu_probing=1).
do-mend-ptr = Have the provider of the network address give it a name (reverse DNS), and see to it that the name leads back to the address.
do-mend-spf = Add the sending server to the SPF record of the sender's domain, or send through a server that is already in it.
do-mend-dkim = Have the sending server sign for the sender's domain (DKIM), and check that the public key in the DNS belongs to it.
do-mend-dmarc = See to it that SPF or DKIM passes for exactly the domain in the From line; if a provider sends for you, it must use your domain.
do-mend-sender-domain = Check that the sender's domain exists in the DNS, has a mail server, and that the sender's address takes mail there.
do-mend-sending-software = Update the program that made or sent the message, or report the fault to whoever made it.
do-renew-certificate = Get a certificate by a known authority for the name by which others come, with the certificates between it and the authority in the same file ([[tls.certificate]] chain), then: postrider reload-certificates.
do-prove-identity = Publish or correct the records of the sender's domain (SPF, DKIM, DMARC) and the reverse DNS of the sending server.
do-delist = Find and remove the reason for the listing, then ask the operator of the list to take the entry off it.
do-use-smarthost = Do not send directly from this connection, but through the mail server of your provider.
do-break-loop = Look for a forward that leads back to itself, and remove it.

# What can be looked at, and what it would show.
check-attempt-history = Look at every attempt for this message so far: what happened each time, and whether it is always the same
check-block-lists = Look up the sending server's address and the sender's domain on the known block lists: whether they are on one
check-dns-of-domain = Look up the domain in the DNS: whether it exists, and which mail servers it names
check-extensions-announced = Ask the receiving server what it can do: whether it takes letters beyond a to z and other newer features
check-limits-announced = Ask the receiving server for its limits: how many recipients it takes in one go
check-our-helo = Look up the name by which the sending server introduces itself: whether it leads to that server
check-our-ptr = Look up the name of the sending server's network address: whether there is one, and whether it leads back
check-own-concurrency = Count the sending server's open connections to this receiver: whether there are more than it allows
check-own-filter = Look in the log of the sending side's own filter: whether and why it stopped the message
check-own-routes = Follow the sending server's own routes step by step: where this message would go
check-path-mtu = Send one line that fills a packet to every mail server of the receiver: whether it gets through as small ones do
check-received-trail = Read the list of servers that the message has passed: whether one of them comes back
check-sender-identity = Look up SPF, DKIM and DMARC of the sender's domain: whether the sending server may send for it
check-size-announced = Ask the receiving server how large a message may be: whether this one is larger
check-start-tls = Start encryption with every mail server of the receiver: whether it comes about, and whether its certificate is in order
check-tcp-and-banner = Connect to every mail server of the receiver: whether it answers, and how it greets

# What happens next.
next-delivered = Nothing: the message has been delivered.
next-retry = Your mail is not lost. The next attempt is { $when }.
next-retry-asked = Your mail is not lost. The next attempt is { $when }, because the receiver asked for { $wait }.
next-retry-learnt = Your mail is not lost. The next attempt is { $when }: this receiver has made such mail wait for { $wait } before.
next-retry-last = Your mail is not lost yet. The last attempt is { $when }, when it has waited as long as a message may.
next-retry-sender = Your mail is not lost. It goes out { $when }, because its sender asked to hold it until then.
next-retry-admin = Your mail is not lost. The next attempt is { $when }, as the administrator asked.
next-transaction = Your mail is not lost. It goes on at once, in the next delivery to the same server.
next-other-host = Your mail is not lost. Another server of the same receiver is asked at once.
next-conversion = Your mail is not lost. It is put into a form that the receiver takes, and goes on at once.
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
