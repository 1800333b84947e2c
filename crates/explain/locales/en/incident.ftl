# Incidents: what belongs together in a log or a mailbox.
incident-domain = Mail to { $name }
incident-provider = Mail to the servers of { $name }
incident-everywhere = Mail to nearly everywhere
incident-here = Mail that this server turned away
incident-unknown = Mail to unnamed recipients
incident-at = On { $first }.
incident-since = Since { $first }, last seen { $last }.
incident-failures = { $n ->
    [one] { $n } failure.
   *[other] { $n } failures.
}
incident-waiting = { $n ->
    [one] { $n } recipient waits.
   *[other] { $n } recipients wait.
}
incident-given-up = { $n ->
    [one] For { $n } recipient the message was given up.
   *[other] For { $n } recipients the message was given up.
}
incident-side-us = It is us: the cause lies on the sending side.
incident-side-them = It is them: the cause lies at the receiving server.
incident-side-sender = It is the sender: whoever wrote these messages can mend it.
incident-side-recipient = It is the recipient: only they can mend it.
incident-side-network = It is the network between.
incident-nothing-to-do = There is nothing for you to do: the mail is kept and tried again.
incident-over = Mail has got through since: it seems to be over.
incident-example = They said: “{ $words }”
incident-other = { $n ->
    [one] And { $n } failure that belongs to nothing larger.
   *[other] And { $n } failures that belong to nothing larger.
}
