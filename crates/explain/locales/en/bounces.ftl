# What came back after it had been handed on, and the addresses to which nothing is sent.

bounce-opening = This is the mail server { $host }. Your message went on from here to its next server. Later a report came back that it did not arrive:
bounce-handed = Taken by { $peer } on { $time }; the report came back on { $returned }.
bounce-came-back = The report came back on { $returned }.
bounce-names = The failure is at { $address }, to which { $recipient } sends on.
bounce-said = The server { $reporter } reports:
bounce-said-unknown = The report says:
bounce-closing = The next server gave your message up. The report as it came is attached. If you ask somebody for help, pass on this whole message.

return-failure = a report came back: { $headline }
return-delay = a report of delay came back; it is still being tried elsewhere: { $headline }
return-complaint = a complaint came back: whoever has the address does not want this mail
return-answer = an automatic answer came back; nothing failed
return-other = mail came back that tells of no failure
return-by = { $report }, joined by { $by }
return-reporter = written by { $reporter }
return-words = it says: { $words }
return-names = about { $address }, to which the recipient sends on
return-passed-on = passed on to the sender as { $copy }
return-suppressed = the address is on the suppression list for it
joined-return_address = the return address
joined-return_address_inside = the return address in it
joined-trace = our trace in the header that it gives back
joined-envelope_id = the sender's own name for the message

bounces-about = (message { $id } of { $sender })
bounces-nobody = (a recipient of the message)
bounces-none = Nothing came back.

event-joined = it is about the message { $about } (found by { $by }), and was taken for: { $kind }
event-not-joined = it is about no message that is known here; it was taken for: { $kind }
event-passed-on = passed on as { $copy }
kind-failure = a report of failure
kind-delay = a report of delay
kind-complaint = a complaint
kind-answer = an automatic answer
kind-other = no report

story-returned = Came back
story-returned-value = on { $time }: { $headline }

suppressed-administrator = put there by the administrator
suppressed-administrator-note = put there by the administrator: { $note }
suppressed-delivery = { $headline }: its server said so when the message { $message } was to be delivered
suppressed-bounce = { $headline }: so says the report { $report } that came back for the message { $message }
suppressed-complaint = whoever has it complained about the message { $message }, in the complaint { $report }
suppressed-words = In its words: { $words }
suppressed-since = Since { $since }
suppressed-until = until { $until }
suppressed-for-ever = until it is taken off
