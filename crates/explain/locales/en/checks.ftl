# What `postrider check` found. Each text says what was seen and what it means.

checked-title = { $subject }: { $outcome }
checked-fine = nothing wrong was found
checked-problems = { $n ->
    [one] { $n } problem
   *[other] { $n } problems
}
checked-warnings = { $n ->
    [one] { $n } thing to look at
   *[other] { $n } things to look at
}
checked-unknown = { $n } could not be found out
checked-seen = Seen
checked-route = Route
verdict-fine = Good
verdict-cannot-tell = Not known
verdict-warning = Look at
verdict-problem = Problem

# Our own route and line.
found-route-configured = Mail for { $subject } goes to { $object }, as the configuration says.
found-route-found = There is a way for mail to { $subject }: { $object ->
    [one] { $object } address to try.
   *[other] { $object } addresses to try, in the order below.
}
found-route-to-maildir = Mail for { $subject } stays on this machine, in { $object }.
found-route-to-program = Mail for { $subject } is given to a program on this machine: { $object }.
found-route-missing = There is no way for mail to { $subject }: the address has no domain, and no route of ours takes such addresses.
found-route-to-self = The best mail server of { $subject } is this server itself, under the name { $object }. Mail for it would go round in a circle. Either this server should keep that mail, and a route for it is missing, or the records of the domain are wrong.
found-route-host-unknown = Our own configuration sends mail for { $subject } to { $object }, and that host has no address in the DNS.
found-line-works = The name server that we ask ({ $subject }) answers: our own connection works.
found-line-down = The name server that we ask ({ $subject }) does not answer anything. As long as that is so no mail can leave, and it says nothing about the receiver: look at this machine's network first.
found-destinations-fail-alike = { $object } of { $subject } destinations that have mail waiting cannot be reached. They have nothing to do with each other, so it is our own connection: outgoing traffic on port 25 is blocked, or the line is down.
found-destinations-differ = { $object } of { $subject } destinations that have mail waiting cannot be reached; with the others something else is the matter. It is not our own connection.

# The DNS of the domain.
found-domain-has-servers = { $subject } names { $object ->
    [one] one mail server that has an address.
   *[other] { $object } mail servers that have an address.
}
found-domain-is-its-server = { $subject } names no mail servers; its own address takes the mail. That is allowed.
found-domain-is-address = { $subject } is an address ({ $object }): there is nothing to look up.
found-domain-unknown = { $subject } does not exist. Mostly the address is misspelt.
found-domain-takes-no-mail = { $subject } says of itself that it takes no mail (a null MX). No address there will ever work.
found-domain-has-no-server = { $subject } exists and has neither a mail server nor an address of its own: mail cannot go there.
found-servers-have-no-address = None of the mail servers that { $subject } names has an address. The owner of that domain has to mend its records.
found-server-has-no-address = { $object }, one of the mail servers of { $subject }, has no address. Mail goes to the others.
found-null-mx-beside-others = { $subject } says that it takes no mail and names mail servers all the same. We pass over the first; other senders may not.
found-mx-is-alias = { $object }, a mail server of { $subject }, is an alias of another name. The standard does not allow that; most senders follow it, some do not.
found-mx-is-address = { $subject } names the address { $object } as its mail server, where a name must stand. No sender has to understand that.
found-mx-is-localhost = { $subject } names { $object } as its mail server: the machine that asks. Every sender would deliver to itself.
found-mx-not-public = { $object }, a mail server of { $subject }, has only addresses of a private network or of the machine itself. Who is outside that network cannot reach it.
found-dns-fails = The name server says that it could not find out anything about { $subject } (SERVFAIL). Mostly the domain's own name servers are down, or their signatures are wrong. Mail waits until it is mended.
found-dns-refuses = The name server refuses to answer about { $subject }. It is probably not meant to serve us: look at [dns] servers in the configuration.
found-dns-silent = No answer about { $subject } came in time. Whether its name servers or ours are slow cannot be told from here.
found-dns-unreachable = The name server could not be reached to ask about { $subject }.
found-dns-unclear = What came back about { $subject } is no answer that can be used.
found-dane-found = { $subject } has its certificate published in the signed DNS ({ $object }). Mail goes there only encrypted, and only if the certificate fits.
found-dane-unusable = { $subject } has TLSA records in the signed DNS ({ $object }), and none of them can be used between mail servers. Mail goes there only encrypted; who the server is is not checked.
found-dane-unanswered = Whether { $subject } has its certificate published in the signed DNS cannot be found out: { $object } has no valid answer. The server gets no mail until that is mended, since mail could else be led astray.
found-dane-none = { $subject } publishes no certificates of its mail servers in the signed DNS (DANE): nothing is demanded that way.
found-dane-not-asked = Whether { $subject } publishes certificates of its mail servers in the signed DNS (DANE) was not looked at: the resolver is not on this machine, and [dns] trust_ad does not say that its word counts.
found-mta-sts-found = { $subject } has a policy for its mail servers (MTA-STS): { $object }. In mode enforce, mail goes only to the servers that it names, encrypted and with a valid certificate.
found-mta-sts-none = { $subject } has no policy for its mail servers (MTA-STS).
found-mta-sts-unavailable = { $subject } announces a policy for its mail servers (MTA-STS) that cannot be had: { $object }. Mail goes as without it, unless the relay keeps an earlier one.
found-mta-sts-omits = { $subject } is a mail server that the domain's policy (MTA-STS) does not name; it names { $object }. In mode enforce no mail goes there.

# The servers.
found-server-answers = { $subject } takes connections. It greets with: { $object }
found-connection-refused = { $subject } answers that nothing listens there: the mail server is not running, or a firewall turns us away.
found-connection-silent = { $subject } does not answer at all: it is down, or a firewall on the way swallows what we send.
found-network-unreachable = The network knows no way to { $subject }. For an IPv6 address that is usual where this machine has no IPv6.
found-connection-reset = The connection to { $subject } was cut off while it was being made.
found-connection-local = This machine itself could not make the connection to { $subject }.
found-greeting-refused = { $subject } takes the connection and refuses at once: { $object }
found-hello-refused = { $subject } refuses the name by which we introduce ourselves: { $object }
found-server-drops = { $subject } takes the connection and closes it without a word. Firewalls do that to senders whom they do not like.
found-server-silent = { $subject } takes the connection and then says nothing. It is overloaded, or something between us holds its words back.
found-not-smtp = What answers at { $subject } is no mail server.
found-no-server-reached = No mail server of { $subject } takes mail from us at the moment.
found-recipient-taken = The address { $subject } would be taken: { $object } Nothing was sent.
found-recipient-refused = The address { $subject } is refused: { $object }
found-probe-refused = Whether { $subject } would be taken could not be asked: the server said no before that, with: { $object }
found-probe-broke = Whether { $subject } would be taken could not be found out: the connection ended before the answer.
found-extensions-announced = { $subject } can do: { $object }.
found-no-extensions = { $subject } announces nothing that it can do: it is very old, or a firewall between us hides it.
found-no-eight-bit = { $subject } takes plain 7-bit text only. Messages with other letters have to be converted first.
found-tls-announced = { $subject } offers encryption (STARTTLS).
found-tls-not-announced = { $subject } offers no encryption (STARTTLS). Mail to it can be read on the way.
found-size-announced = { $subject } takes messages of up to { $object } bytes.
found-size-unlimited = { $subject } names no largest size.
found-message-fits = The message is smaller than the { $object } bytes that { $subject } takes.
found-message-too-large = The message is larger than the { $object } bytes that { $subject } takes. It will never be taken at that size.
found-limits-announced = { $subject } has limits: { $object }. (RCPTMAX: recipients at a time; MAILMAX: messages of one connection.)
found-no-limits-announced = { $subject } names no limits for recipients or messages.
found-out-of-time = The check { $object } took too long and was broken off ({ $subject }).

# Ourselves.
found-our-address-private = This machine has the private address { $subject }; others see another one, which is not known here. Write it into the configuration, [checks] our_addresses, and the checks that need it can be made.
found-our-address-unknown = This machine has no address from which it could reach the receiver.
found-ptr-confirmed = Our address { $subject } has the name { $object }, and that name leads back to it: as receivers want it.
found-ptr-missing = Our address { $subject } has no name (no reverse DNS). Many receivers take no mail from such addresses.
found-ptr-leads-elsewhere = Our address { $subject } has the name { $object }, and that does not lead back to the address. Many receivers count that as no name.
found-ptr-unanswered = Whether our address { $subject } has a name that leads back could not be found out.
found-helo-resolves = The name by which we introduce ourselves, { $subject }, leads to our address { $object }.
found-helo-leads-elsewhere = The name by which we introduce ourselves, { $subject }, leads to { $object }, and that is not us.
found-helo-unknown = The name by which we introduce ourselves, { $subject }, has no address. Some receivers refuse mail for that.
found-helo-not-a-name = We introduce ourselves as { $subject }, and that is no full name. Set [server] hostname in the configuration, like mail.example.org.
found-helo-not-compared = The name by which we introduce ourselves, { $subject }, leads to { $object }. Whether that is us is not known: this machine has a private address.
found-helo-unanswered = Where the name by which we introduce ourselves leads, { $subject }, could not be found out.

# For whom we send.
found-sender-domain-reachable = The sender's domain { $subject } can get answers: it has somewhere for mail to go.
found-sender-domain-unknown = The sender's domain { $subject } does not exist or has no mail server. Many receivers take no mail from it, and reports cannot come back.
found-sender-takes-no-mail = The sender's domain { $subject } says that it takes no mail. Receivers may refuse what comes from there.
found-sender-unanswered = Whether the sender's domain { $subject } can get answers could not be found out. Receivers that look have the same trouble.
found-spf-pass = SPF: our address { $object } may send for { $subject }.
found-spf-fail = SPF: the record of { $subject } says that our address { $object } may not send for it. Receivers will refuse such mail.
found-spf-soft-fail = SPF: the record of { $subject } says that our address { $object } probably may not send for it. Receivers will be suspicious.
found-spf-neutral = SPF: the record of { $subject } says nothing about our address { $object }.
found-spf-none = SPF: { $subject } does not say who may send for it. Large receivers want such a record.
found-spf-broken = SPF: the record of { $subject } cannot be used. To receivers it is worse than none.
found-spf-unanswered = SPF: what { $subject } says about our address could not be found out: a question on the way has no answer. Receivers have the same trouble, and put the mail off.
found-spf-not-compared = SPF: { $subject } has a record, and it can be read. Whether it lets us send is not known: our address as others see it is not.
found-dmarc-found = DMARC: { $subject } asks receivers to treat mail that proves nothing so: { $object }.
found-dmarc-none = DMARC: { $subject } has no policy. Large receivers want one, if only p=none.
found-dmarc-broken = DMARC: the record of { $subject } cannot be used.
found-dmarc-unanswered = DMARC: the policy of { $subject } could not be found out.
found-dkim-key-found = DKIM: the key { $subject } is published ({ $object }).
found-dkim-key-missing = DKIM: there is no key at { $subject }. What is signed with it counts as not signed.
found-dkim-key-revoked = DKIM: the key { $subject } has been withdrawn by its owner.
found-dkim-key-broken = DKIM: the record at { $subject } cannot be used.
found-dkim-key-weak = DKIM: the key { $subject } has { $object } bits. Receivers do not count keys of less than 1024.
found-dkim-unanswered = DKIM: the key { $subject } could not be looked up.
found-not-listed = { $subject } is not on the list { $object }.
found-address-listed = Our address { $subject } is on the block list { $object }. Who uses that list takes no mail from us.
found-domain-listed = The domain { $subject } is on the block list { $object }. Who uses that list takes no mail in its name.
found-list-refuses-us = The list { $object } does not answer the name server that we use, so that nothing is known about { $subject }. That is no listing. Lists refuse large public name servers: use one of your own.
found-list-broken = The list { $object } fails the test that every working list passes, so that what it says about { $subject } means nothing. It may have been given up: leave it out of [checks] block_lists.
found-list-unanswered = The list { $object } did not answer; nothing is known about { $subject }.
found-lists-not-asked = The lists were not asked about our address { $subject }: only one that others can see is on a list.

# The queue.
found-trail-straight = The message { $subject } has passed { $object } servers, each once.
found-trail-loops = The message { $subject } goes round in a circle: it has passed { $object } more than once.
found-trail-gone = The content of { $subject } is no longer kept, so that its trail cannot be read.
found-no-attempts = For { $subject } nothing has failed yet ({ $object } attempts).
found-attempts-fail-alike = For { $subject } all { $object } attempts failed for the same reason. Another attempt will help only when that has changed.
found-attempts-differ = For { $subject } { $object } attempts failed for different reasons. That speaks for passing trouble, or for several servers that behave differently.
found-attempts-ended = { $subject } has the message, after { $object } attempts.
found-breaks-at-same-point = For { $subject } the connection broke at the same place more than once, after { $object } bytes. That is no accident: a filter there does not like what comes next, or large packets get lost on the way (MTU).
found-sending-now = { $object } recipients at { $subject } are being sent to at this moment.
found-own-filters = Mail that comes to this server is shown to filters of its own: { $object }. What they held is in the queue ("postrider queue list"), and what they refused is in the log, as "refused".
found-no-own-filter = This server has no filter of its own: it did not stop the message.

# Evidence.
seen-asked = { $question } → { $answer }
seen-asked-of = ({ $servers }, { $ms } ms)
seen-no-records = no such record
seen-no-such-name = no such name (NXDOMAIN)
seen-not-a-name = not a name
seen-server-failure = the server failed (SERVFAIL)
seen-refused = refused (REFUSED)
seen-timed-out = no answer in time
seen-unreachable = name server not reachable
seen-connected = connected to { $address } from { $from } ({ $ms } ms)
seen-received = received: { $text }
seen-broke = the connection ended: { $how } ({ $ms } ms)
seen-spf-matches = { $domain }: { $term } – this is us
seen-spf-passes = { $domain }: { $term } – not us
seen-spf-leads-on = { $domain }: { $term } – read on there
seen-spf-broken = { $domain }: { $term } – cannot be used
seen-spf-unanswered = { $domain }: { $term } – no answer
seen-attempt = { $at }, { $destination }: { $cause }
seen-attempt-taken = { $at }, { $destination }: taken
seen-destination = { $key }: { $queued } waiting, { $failures } failures in a row, { $cause }
seen-no-cause = nothing known
seen-hop = passed { $host }
seen-hop-again = passed { $host }, which occurs more than once
seen-sending = being sent: { $n }
seen-hops = servers passed: { $n }
seen-message-size = size of the message: { $n } bytes
seen-text = “{ $text }”

# What is wrong with a record.
defect-several = there are several where only one may be: { $text }
defect-unknown-term = nobody knows this: { $text }
defect-bad-value = this value is wrong: { $text }
defect-missing-value = something is missing here: { $text }
defect-twice = this stands there twice: { $text }
defect-too-many-lookups = more than ten questions are needed to read it, which is not allowed; the first too many is: { $text }
defect-too-many-void = too many names in it do not exist; the last was: { $text }
defect-no-record-there = it leads to a domain that has no such record: { $text }
defect-circle = it leads round in a circle, back to: { $text }

# Steps of the route.
way-configured = our route "{ $pattern }" says: { $hop }
way-default = no route of ours is configured: the mail servers that the domain names ({ $hop })
way-as-user = we log in there as { $value }
way-as-helo = we call ourselves { $value } there
way-as-source = we come from { $value }
way-literal = the domain is the address { $address }
way-exchangers = { $domain } names, best first: { $records }
way-null-mx = { $domain } says that it takes no mail (MX 0 .)
way-implicit = { $domain } names no mail servers: its own address counts
way-ourselves = { $exchanger } (preference { $preference }) is this server: those that are not better are left out, { $left } remain
way-host = { $name } → { $addresses }
way-no-address = { $name } has no address
way-host-unknown = { $name } does not exist
way-host-unanswered = the address of { $name } could not be found out
