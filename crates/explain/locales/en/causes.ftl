# One message for each cause: the headline, and in .what what it means in everyday words.
# "The sending server" is the server that tries to deliver; it need not be Postrider.

# The address as it is written.
address-syntax = The address is not written in a form that the receiver takes
    .what = The receiving server says that the address is malformed: a character is missing, or there is one too many.
address-ambiguous = The address fits more than one mailbox
    .what = The receiving server found several mailboxes that could be meant, and does not choose. A fuller address helps.
address-moved = The mailbox has moved and left no forwarding address
    .what = The recipient used to have this address, but no longer does. Mail to it is not passed on.
address-needs-utf8 = The receiver cannot handle letters beyond a to z in addresses
    .what = An address of this message has letters such as é or ü, and the receiving server does not support that.

# Logging in.
auth-required = The server wants a login first
    .what = The server only takes mail after a login. Either the mail program or the sending server is not set up to log in, or it talks to the wrong server.
auth-failed = The user name or the password is wrong
    .what = The server did not accept the login. The message itself is not the problem, and neither is the recipient's address.
auth-mechanism = The server does not accept this way of logging in
    .what = There are several ways to prove who you are to a mail server. The one that was used is not allowed here, often because it is too weak.
auth-expired = The account for logging in needs attention
    .what = The account is disabled, or its password has to be changed first. The message itself is not the problem.
auth-unavailable = The server cannot check logins at the moment
    .what = The part of the server that checks user names and passwords does not work just now. That says nothing about your password.

# What is in the message, and its size.
content-refused = The receiver objects to what is in the message
    .what = A filter at the receiver objects to the content: its text, a link or an attachment. It does not say what exactly.
content-spam = The receiver took the message for spam
    .what = A spam filter at the receiver judged the message to be unwanted advertising. Filters make mistakes: a perfectly ordinary message can be caught.
content-virus = The receiver found something harmful in the message
    .what = A virus scanner at the receiver says that the message or an attachment is dangerous. It may be a false alarm, but take it seriously.
content-link-listed = The message contains a link that is on a block list
    .what = A website or name in the message is on a list of addresses known from spam or fraud. It may stand in your signature, or in older text quoted below.
content-malformed = The message is not put together correctly
    .what = The sending program built the message in a way that breaks the rules for e-mail, and the receiver is strict about that. The words that you wrote are not the problem.
content-media-unsupported = The receiver cannot handle this kind of content
    .what = The message holds something, such as a sound or an unusual type of document, that the receiving system has no use for.
content-conversion = The message could not be converted for the receiver
    .what = The receiving system needs the message in another form. Converting it was not allowed, not possible, or would have lost a part of it.
charset-unsupported = The receiver cannot handle the characters in the message
    .what = The message contains characters or an encoding (a way to write them as bytes) that the receiving server does not take.
message-too-large = The message is too large for the receiver
    .what = The message is larger than the receiving server takes. Attachments grow by about a third on their way, so the limit is reached sooner than the files suggest.
message-duplicate = The receiver has already seen this message
    .what = The same message came before, and the receiver takes it only once. It has probably arrived.
recipients-too-many = More recipients at once than the receiver takes
    .what = The receiving server takes only a certain number of recipients in one go. The others follow in the next one.

# Whether the sending side proves who it is.
identity-unproven = The receiver doubts that the message is really from its sender
    .what = The records that prove who may send for the sender's domain (SPF, DKIM, DMARC) or who the sending server is (reverse DNS) are missing or do not match.
identity-spf = The sending server is not on the sender domain's list of allowed servers
    .what = The sender's domain publishes a list of the servers that may send mail in its name (SPF). The server that sent this message is not on it, or the list cannot be read.
identity-dkim = The message lacks a valid digital signature
    .what = A signature (DKIM) proves that a message comes from the sender's domain and was not changed on its way. It is missing here, or no longer fits the message.
identity-dmarc = The sender's own domain asks to refuse a message like this one
    .what = The domain in the From line has published a rule (DMARC): refuse what is not proven to come from it. This message could not be proven to.
identity-no-ptr = The network address of the sending server has no proper name
    .what = Every mail server is expected to have a name that belongs to its network address (reverse DNS). Here it is missing, or the name does not lead back to the address.
identity-helo = The receiver does not accept the name by which the sending server introduces itself
    .what = Mail servers begin by giving their own name (HELO). The one given here does not exist, is no full name, or belongs to somebody else.
identity-arc = The receiver does not trust the path of this forwarded message
    .what = Servers that forward a message can vouch for it with a seal (ARC). One of the seals on this message does not hold.

# The mailbox itself.
mailbox-unknown = The address does not exist
    .what = The receiving server knows no mailbox with this name. Most often the address is misspelt or out of date.
mailbox-disabled = The mailbox is closed
    .what = The mailbox exists, but it has been disabled and takes no mail.
mailbox-full = The mailbox is full
    .what = The recipient's mailbox has reached its storage limit. There is nothing wrong with your message.
mailbox-busy = The mailbox is in use at the moment
    .what = The receiving server could not open the mailbox just now: it is locked, or being moved or checked.
mailbox-restricted = The recipient takes mail from certain senders only
    .what = The mailbox or the mailing list is closed to outsiders, or only its members may write to it. The address is right; you are just not on its list.
mailbox-rate = The recipient is getting too much mail at the moment
    .what = More mail is coming in for this mailbox than it may receive in a given time. It need not be yours: everybody's mail to this mailbox has to wait.
mailbox-list-broken = The mailing list could not be worked out
    .what = The address stands for a list of people, and the receiving server could not turn it into their addresses. Something is wrong with the list, not with your message.
mailbox-delivery-failed = The receiving server could not put the message into the mailbox
    .what = The message reached the right server, but its very last step failed. The fault is there.
mailbox-forward-failed = The recipient's mail is forwarded, and the forwarding failed
    .what = The address exists and passes its mail on to another address. There it could not be delivered. The recipient may not know this.

# The network between, and the connection over it.
network-unreachable = There is no way through the network to the receiving server
    .what = The network reports that the receiving server cannot be reached from where the sending server stands.
network-congested = There is too much traffic on the way to the receiving server
    .what = A system on the way has more to do than it can handle. It is nobody's mistake, and it passes.
connection-dropped = The connection broke while the servers were talking
    .what = The connection to the receiving server was lost before the message was complete. The receiver does not have it.
connection-outcome-unknown = It is not certain whether the message arrived
    .what = The whole message was sent, but the connection was lost before the receiver confirmed it. It may have it, or not. The sending server tries again, so it may arrive twice.

# What fits nowhere else.
feedback-complaint = A recipient reported the message as unwanted
    .what = Somebody who received the message pressed "this is spam", and their provider passes that on. The message was delivered; this is a request not to send more like it.
cannot-tell = The reason cannot be told from what is known
    .what = The answer does not say enough to be sure of the reason.

# What the receiver allows, from whom and how much.
greylisting = The receiver asks the sending server to come back a little later
    .what = The receiving server turns away the first attempt of every sender it does not know yet, as a test against spam. A second attempt after the wait is accepted. This is normal.
policy-rate = The receiver wants mail to come more slowly
    .what = The receiving server limits how much mail it takes from one sender in a given time, and that limit has been reached.
policy-connections = Too many connections to the receiver at the same time
    .what = The receiving server limits how many connections the sending server may have open at once. With fewer, the mail goes through.
policy-refused = The receiver refuses the message by its own rules
    .what = The receiving server gives a policy as the reason and says no more than that.
policy-relaying = The server that was reached does not take mail for this address
    .what = It says that it would have to pass the message on to another server, which it does not do for strangers. Either the address is wrong, or the mail goes to the wrong server.
policy-attachment = The receiver does not take this kind of attachment
    .what = Some types of file, such as programs or locked archives, are refused by the receiver because viruses often hide in them. Yours need not be harmful.
policy-priority = The receiver only takes more urgent mail at the moment
    .what = The message says how urgent it is, and the receiving server is now taking only what is more urgent. This is rare.
policy-encryption = The message is not protected in the way the receiver wants
    .what = The receiver asks that the message itself is signed or encrypted in a certain way, or cannot handle the way in which this one is.

# The protocol itself.
protocol-refused = The two servers do not understand each other
    .what = The receiving server refused a command, or a part of it, that belongs to the language of mail servers. One of the two is set up wrongly or out of date.
protocol-sequence = The receiving server got a command that it did not expect at that point
    .what = Mail servers talk in a fixed order, and the order was broken. That is a fault in the software or in a device between the two, not in your message.
protocol-line-too-long = A line is longer than the receiver allows
    .what = There is a limit to how long one line may be, and something that was sent exceeds it. The sending program should have broken the line up.

# The wait in the queue.
queue-expired = The message could not be delivered in time
    .what = The sending server has tried for as long as a message may wait, often several days, and has now given up.
queue-deadline = The moment before which the message had to arrive has passed
    .what = The sender's program set a time limit for this message. It was not delivered before that, so it is not delivered any more.
queue-removed = The message was taken out of the queue
    .what = An administrator, or a rule of the sending server, removed the message before it could be delivered. The receiver has nothing to do with it.

# What name the sending side has with the receiver.
reputation-ip-listed = The sending server's network address is on a block list
    .what = The receiver uses a list of network addresses that have sent spam, and the address of the sending server is on it. Often another user of that server is the reason. The recipient's address is not the problem.
reputation-domain-listed = The sender's domain is on a block list
    .what = The receiver uses a list of domains (the part after the @) that are known from spam, and the sender's domain is on it. The recipient's address is not the problem.
reputation-poor = The sender or the sending server has a poor name with the receiver
    .what = From earlier mail, the receiver has formed a bad opinion of the sending server or of the sender's domain. It takes less from it, or nothing. The recipient's address is not the problem.
reputation-dynamic-address = The mail seems to come straight from a home connection
    .what = The network address looks like one that a provider hands out to households. Many receivers take no mail from those, because infected computers send spam that way.
reputation-complaints = Recipients have complained about mail from this sender
    .what = People have marked earlier mail as unwanted, so many of them that the receiver now refuses more. This message need not be the cause.

# Finding the way to the receiver.
route-no-such-domain = The domain in the address does not exist
    .what = There is no domain with this name. Most often the part after the @ is misspelt.
route-null-mx = This domain takes no mail
    .what = The domain in the address states in the DNS (the address book of the internet) that it never takes any mail.
route-no-address = This domain has no mail server
    .what = The domain exists, but the DNS (the address book of the internet) names no mail server for it that could be reached.
route-mx-broken = The domain names a mail server that cannot be used
    .what = In the DNS (the address book of the internet), the recipient's domain gives something that is no usable mail server. Only whoever manages that domain can correct this.
route-to-self = The mail would come back to the sending server itself
    .what = According to the DNS (the address book of the internet), the sending server is itself the mail server of the recipient's domain, but it has no instructions for that domain.
route-missing = There is no route for this address
    .what = The configuration of the sending server does not say where mail for such an address should go, or names a server that does not exist.
route-loop = The message is going round in circles
    .what = The message has passed through too many servers. Two or more of them keep sending it on to each other.
dns-failing = The internet's address book gives no answer
    .what = To find the mail server of a domain, its name servers (the DNS) must be asked. At the moment they do not answer.

# The sender's address and account.
sender-refused = The receiver does not accept the sender's address
    .what = The receiving server objects to the address that the message comes from, without saying clearly why.
sender-domain-unknown = The receiver cannot find the sender's domain
    .what = The part after the @ in the sender's address does not exist, or the receiver could not look it up. A reply would have nowhere to go.
sender-null-mx = The sender's domain says that it takes no mail
    .what = Nobody could ever reply to this message, and that is why the receiver refuses it.
sender-unverified = The receiver could not confirm the sender's address
    .what = The receiving server asked the sender's own mail server whether the address exists, and did not get a yes.
sender-not-owned = The account may not send with this sender's address
    .what = Whoever logged in used an address in the From line that does not belong to the account.
sender-blocked = The recipient's side has blocked this sender
    .what = Either the recipient or the recipient's mail server has put this sender on its own list of people to refuse.
sender-quota = The sender has sent as much as is allowed for now
    .what = The sender's own provider limits how much mail one account may send in a given time. The message did not reach the receiver yet.
sender-suspended = The sender's account is blocked by its own provider
    .what = The provider has closed or restricted the account, often because somebody else seems to have used it for spam. The receiver has nothing to do with it.

# The receiving server.
server-busy = The receiving server is busy or is closing down
    .what = The receiving server cannot take more connections at this moment. This usually passes within minutes.
server-storage-full = The receiving server has run out of space
    .what = The disk or the memory of the receiving server is full. This concerns all mail to that server, not only yours.
server-not-accepting = The receiving server takes no mail at the moment
    .what = Its administrator has stopped the incoming mail, or is doing maintenance.
server-local-error = Something went wrong inside the receiving server
    .what = The receiving server tried to process the message and failed. The fault is there, not in your message.
server-misconfigured = The receiving server is set up wrongly
    .what = A setting of the receiving server keeps it from doing its work. Only its administrator can correct that.
server-scanner-failed = The receiver's virus or spam scanner does not work at the moment
    .what = The receiving server takes no message that it cannot check. It does not say that anything is wrong with yours.
server-directory-failed = The receiving server could not look up the recipient
    .what = Its list of users could not be consulted just now. That does not mean that the address is wrong.
server-downstream-failed = The receiving side cannot reach its own next server
    .what = The server that was reached passes mail on to another one behind it, and that one does not answer. The fault lies within the receiver's systems.
server-feature-missing = The receiving server cannot do what the message asks for
    .what = The message needs a facility that the receiving server does not have.
server-connection-refused = The receiving server is not running
    .what = The machine answers, but no mail server is listening on it.
server-unreachable = The receiving server does not answer
    .what = The sending server knocked on every known address of the receiving server, and nobody answered. The server may be down, or a firewall is in the way.
server-not-smtp = What answers there is not a mail server
    .what = Something else than a mail server answers at the receiver's address.

# Encryption of the connection.
tls-required = The receiving server insists on an encrypted connection
    .what = The receiving server takes mail only over an encrypted connection, and the sending server did not set one up.
tls-failed = The encrypted connection could not be set up
    .what = The two servers wanted to encrypt their connection and did not succeed.
tls-certificate = The receiving server could not prove that it is the right one
    .what = Its certificate (a kind of proof of identity) has expired, bears another name, or is not the one announced. The message was not handed over, so that no stranger can read it.
tls-policy = The receiver does not offer the encryption that this message demands
    .what = The sender asked that the message only ever travels encrypted. The receiving server cannot promise that.
tls-dane = The receiving server is not as its domain announces it in the signed DNS
    .what = The recipient's domain announces in the DNS, signed, that its mail servers encrypt and which certificates they have (DANE). The server did not show such a certificate, did not encrypt at all, or the announcement could not be checked. It is mostly a certificate that was renewed while the record in the DNS was not. The message was not handed over, so that no stranger can read it.
tls-mta-sts = The receiving server is not as its domain announces it
    .what = The recipient's domain has a policy (MTA-STS) that names its mail servers and demands that they encrypt, with a valid certificate. This server is not among them, did not encrypt, or had no valid certificate. The message was not handed over, so that no stranger can read it.

# The sending side's own machine and line.
us-local-failure = Something went wrong on the sending server
    .what = The failure is in the sending server or the machine it runs on, not at the receiver.
us-line-down = The sending server's own connection is down
    .what = No destination at all can be reached from there, so the fault lies with its own line and not with any receiver.
us-filtered = A filter on the sender's own side stopped the message
    .what = A virus scanner, spam filter or rule of the sender's own organisation or provider held the message back. It never reached the receiver.
