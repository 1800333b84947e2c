# A case that somebody pasted or that a log holds.
case-likely = Behind it there is usually one of these: { $causes }.
case-next-given-up = The message was not delivered to this recipient, and it is not tried any more. Once the reason is gone it has to be sent again.
case-next-trying = The mail is not lost. The sending server keeps it and tries again by itself.
case-next-unknown = From this alone it cannot be told whether the message is still being tried. Whoever runs the sending server can see that in its queue.
case-next-asked = The receiver asks to wait { $wait } before the next attempt.
case-next-complaint = The message was delivered. The recipient does not want more of its kind.
case-sender = Sending server
case-said = Said
case-stage = at this step: { $stage }
case-sure = How sure
case-not-sure = The text says too little to be sure of a reason
case-because = , because of { $words }
case-dialect = These are words of { $name }.
case-other-reading = Or else
case-read-reply = The reply { $code }
case-read-status = The status code { $code } of the newer list
case-read-both = The reply { $reply } with the status code { $code }
case-check = Can be checked
case-note = Note
case-note-backscatter = This report is most likely about a message that was never sent from here: somebody used the address as a false sender. Nothing needs to be done.
case-note-forwarded = { $n ->
    [one] The report had been forwarded once.
   *[other] The report had been forwarded { $n } times.
}
case-note-forwarded-from = The message was written to { $address }, which forwards it to the address that failed.
case-note-broken = The report is not written as the standard asks; what could be read in it is shown.
case-note-delay = This is only a notice of delay: the message is still being tried.
case-note-cut = The text ends in the middle; more may have stood there.
case-none = Nothing in { $source } tells of mail that failed.
case-several = { $n } failures in { $source }
case-limit = Limit
case-limit-message-bytes = The receiver takes messages of at most { $n } bytes.
case-limit-recipients = The receiver takes at most { $n } recipients in one delivery.
case-limit-connections = The receiver takes at most { $n } connections at a time.
case-limit-messages = The receiver takes at most { $n } messages in { $span }.
case-limit-recipients-in-time = The receiver takes at most { $n } recipients in { $span }.
