# The story of a message, and the report to its sender.

story-title = Message { $id }
story-from = From
story-received = Received
story-received-value = { $time } ({ $ago } ago) from { $client }, by { $protocol }
story-report-about = Report about { $id }, written by this relay
story-size = Size
story-size-value = { $bytes } bytes
story-expires = Gives up
story-line = Our line
story-line-is-down = down since { $since }: nothing can be reached from here. Nothing is given up because of it: that time ({ $span } so far) does not count.
story-line-was-down = was down from { $since }, for { $span }: nothing could be reached from here. That time does not count.
story-null-sender = <> (nobody: no report is ever sent back)

state-queued = waiting
state-sending = being sent
state-held = held
state-delivered = delivered
state-failed = failed
state-dropped = dropped

story-recipients = Recipients
story-attempts-made = { $n ->
    [one] { $n } attempt
   *[other] { $n } attempts
}
story-via = via { $destination }
story-and-more = … and { $n } more, the same
story-what = What
story-who = Who must act
story-next = Next
story-do = To do
story-paused = This destination is paused: nothing is sent there until it is resumed.
story-blocked = This destination is not tried before { $when }, because: { $headline }.
story-attempt = Attempt { $n }
story-attempt-title = { $time }, to { $destination }
story-why-then = the reason for this time: { $basis }
basis-asked = the receiver asked for { $wait }
basis-schedule = step { $step } of the schedule for this cause, about { $wait }
basis-destination = the destination as a whole is waiting
basis-lifetime = the end of the message's lifetime
basis-administrator = the administrator asked for it
basis-sender = the sender asked to hold it until then
basis-restart = the relay was restarted
story-cause = cause { $cause }, { $percent } % sure
story-could-also = it could also be: { $others }
story-events = Also
event-held = held by the administrator
event-released = released by the administrator
event-retry-asked = the administrator asked for an attempt now
event-dropped = removed by the administrator; nobody was told
event-paused = the destination was paused
event-resumed = the destination was resumed
event-interrupted = the relay stopped in the middle of an attempt: it is not known whether the message arrived, and it may arrive twice
event-delayed = its sender was told of the delay, in the report { $report }
event-arrival-reported = its sender was told of the arrival, in the report { $report }
event-not-asked = no report: its sender asked not to be told
event-reported = a report to the sender was queued as { $report }
event-not-reported = no report: the message has no sender to tell
event-rerouted = the route was changed; it went to { $from } before
story-verified = What this server found when it looked at { $destination }, { $at }

step-routed = looked up where to go: { $hosts }
step-routed-nowhere = looked up where to go
step-connected = connected to { $host } ({ $address })
step-connected-from = connected to { $host } ({ $address }) from { $from }
step-converted = converted to { $to }, because the server does not take the message as it is
step-reused = went on over an open connection to { $host } ({ $address })
step-not-connected = no connection to { $host } ({ $address }): { $error }
step-sent = sent the message: { $bytes } bytes
step-broke = the connection broke ({ $how }) after { $sent } of { $size } bytes of content
step-command = we said: { $command }
step-went-no-route = no way to go: { $text }
step-went-cannot-send = this server cannot take the message: { $text }
step-went-not-smtp = the answer was not SMTP: { $text }
step-went-local = failed here: { $text }
login-no-mechanism = not logged in: the server offers no way of logging in that we know ({ $text })
login-not-encrypted = not logged in: without TLS everybody on the way could read the password (the server offers { $text })
login-no-password = not logged in: the password cannot be read ({ $text })
login-exchange = not logged in: { $text }
program-exited = { $program } ended with status { $n }
program-killed = { $program } was ended by signal { $n }
program-timed-out = { $program } had not ended after { $n } seconds and was stopped
program-not-started = { $program } could not be started: { $reported }
program-option = not given to { $program }: the address begins with a hyphen, as its options do
step-went-expired = gave up after { $span }
step-went-hops = { $hops } servers on the way, the limit is { $limit }; more than once: { $repeated }
step-went-interrupted = the relay stopped
how-closed = closed by the other side
how-reset = reset
how-timed-out = nothing was said for too long
error-refused = nobody listens there
error-timed-out = no answer
error-unreachable = no way through the network
error-reset = cut off at once
error-outrun = another address answered first
error-local = this machine could not make the connection

stage-route = finding the way
stage-connect = connecting
stage-greeting = greeting
stage-hello = introduction
stage-start-tls = encryption
stage-auth = login
stage-mail = sender
stage-rcpt = recipient
stage-data = start of content
stage-content = content
stage-end-of-data = end of content
stage-reset = reset
stage-quit = goodbye
verdict-accepted = { $who }: delivered
verdict-unknown = { $who }: not known; the relay stopped before it heard the answer
verdict-failed = { $who }: { $headline }

report-subject = Not delivered: { $address }
report-subject-several = Not delivered to { $n } recipients
report-opening = This is the mail server { $host }. Your message could not be delivered to:
report-opening-several = This is the mail server { $host }. Your message could not be delivered to these recipients:
report-said = The receiving server { $peer } said:
report-tried = We tried { $n ->
    [one] once
   *[other] { $n } times
} since { $time }.
report-met = What stood in the way: { $causes }.
report-times = { $headline } ({ $n }×)
report-who = Who must act:
report-do = What you can do:
report-closing = Your message was not delivered to this recipient, and no more attempts are made. The technical details and the header of your message are attached. If you ask somebody for help, pass on this whole message.
report-closing-several = Your message was not delivered to these recipients, and no more attempts are made. The technical details and the header of your message are attached. If you ask somebody for help, pass on this whole message.

delay-subject = Not delivered yet: { $address }
delay-subject-several = Not delivered yet to { $n } recipients
delay-opening = This is the mail server { $host }. Your message waits for { $waited } to be delivered. You need not send it again.
delay-untried = It was not tried yet: the receiving server is being waited for.
delay-closing = We keep trying. If your message cannot be delivered until { $until }, you get another report.
arrival-subject = Delivered: { $address }
arrival-subject-several = Delivered to { $n } recipients
arrival-opening = This is the mail server { $host }. You asked to hear when your message arrives.
arrival-delivered = { $address }: it is in the mailbox.
arrival-relayed = { $address }: the server { $server } has taken it. That server does not tell when it arrives; you will not hear of it from us again.
