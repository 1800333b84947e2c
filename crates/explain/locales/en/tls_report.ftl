# A report on TLS (RFC 8460), explained to whoever runs the domain that it is about.

tlsrpt-title = TLS report by { $by } about { $domain }: { $outcome }
tlsrpt-well = { $n ->
    [0] no sessions
    [one] one session, as it should be
   *[other] { $n } sessions, all as they should be
}
tlsrpt-not-well = { $failed } of { $n } sessions were not as they should be
tlsrpt-somebody = somebody who gives no name
tlsrpt-period = This is what came of the connections of { $by } to your mail servers from { $from } until { $to }.
tlsrpt-no-period = This is what came of the connections of { $by } to your mail servers; the report does not say when.
tlsrpt-reference = Questions about it go to { $contact }; the report is called { $id }.
tlsrpt-policy-sts = MTA-STS of { $domain }: { $good } sessions were as the policy demands, { $failed } were not.
tlsrpt-policy-tlsa = DANE (TLSA records) of { $domain }: { $good } sessions were as the records demand, { $failed } were not.
tlsrpt-policy-none = No policy of { $domain } was found: { $good } sessions were encrypted, { $failed } were not, or not properly. Without MTA-STS or DANE nothing keeps an attacker from switching the encryption off.
tlsrpt-policy-other = { $kind } of { $domain }: { $good } sessions were as they should be, { $failed } were not.
tlsrpt-mx = servers: { $mx }
tlsrpt-detail = { $n } × { $result }
tlsrpt-at = at { $where }
tlsrpt-from = from { $where }
tlsrpt-reason = reason given: { $text }
tlsrpt-more = more about it: { $text }
tlsrpt-uncounted = The report counts { $n } failures and does not say which.
tlsrpt-unreadable = { $source } looks like a report on TLS (RFC 8460) and cannot be read: { $problem }

tlsrpt-starttls-not-supported = Your server offered no encryption (STARTTLS). Where every sender reports that, encryption is switched off there, or its certificate cannot be used. Where only some do, something on the way takes the offer out: a firewall that "inspects" SMTP, or an attacker.
    .do = Connect from outside and look whether STARTTLS is offered there (postrider check, from another network). Switch the inspection of SMTP in firewalls off.
tlsrpt-certificate-host-mismatch = Your server showed a certificate for other names than the one by which the sender came.
    .do = Get a certificate that has the name of that server as the MX record gives it, or correct the MX record. With MTA-STS, the mx lines of the policy must name it too.
tlsrpt-certificate-expired = Your server showed a certificate whose time is over.
    .do = Renew the certificate, and see to it that the mail server reads the new one. Have it renewed by itself, weeks before its end.
tlsrpt-certificate-not-trusted = Your server showed a certificate that leads to no authority which the sender trusts: it vouches for itself, or the certificates between it and the authority are not sent along.
    .do = Use a certificate by a known authority, and let the server send the whole chain: the file must have the certificates between it and the authority as well.
tlsrpt-validation-failure = The encryption failed for another reason; the sender's words are all there is to say why.
    .do = Look at the reason and the sender's address, then in the log of that server at that time. postrider check, from another network, tries encryption as a sender does.
tlsrpt-tlsa-invalid = The certificate of your server fits none of its TLSA records, or none of the records can be used. Mostly the certificate was renewed and the record was not.
    .do = Publish the record for the new certificate beside the old one (3 1 1 with its SHA-256), wait until the old answer is forgotten (TTL), and only then change the certificate.
tlsrpt-dnssec-invalid = The sender's name server got no valid signed answer for the TLSA records. Mail from senders who do DANE waits.
    .do = Look at the signatures of your zone (delv, dnsviz.net): whether they have expired, whether the DS record fits the key, whether every name server answers for TLSA.
tlsrpt-dane-required = The sender insists on DANE for your domain, and found none.
    .do = Publish TLSA records for your mail servers in a signed zone, or ask the sender to drop the demand.
tlsrpt-sts-policy-fetch-error = Your policy of MTA-STS could not be fetched, though the DNS says that there is one.
    .do = Fetch https://mta-sts.YOUR-DOMAIN/.well-known/mta-sts.txt from outside: it must answer with 200, without redirection, as text/plain.
tlsrpt-sts-policy-invalid = Your policy of MTA-STS was fetched and cannot be used.
    .do = It must have the lines version: STSv1, mode: enforce or testing or none, mx: for each server, and max_age: in seconds.
tlsrpt-sts-webpki-invalid = The web server of your policy of MTA-STS showed a certificate that is not valid.
    .do = Renew the certificate of the web server mta-sts.YOUR-DOMAIN, for that name.
tlsrpt-unknown-result = The standard knows no result of that name; what it means only the sender can say.
    .do = Ask the sender, at the address that the report names.

# Our own reports on TLS, gathered and on their way.
tls-ledger-none = No sessions are gathered, and no report was sent in the last seven days.
tls-ledger-now = now
tls-ledger-report = { $domain }, { $from } to { $to }: { $good ->
    [one] one session was as it should be
   *[other] { $good } sessions were as they should be
}, { $failed } { $failed ->
    [one] was not
   *[other] were not
}
tls-ledger-gathering = is being gathered
tls-ledger-due = goes at { $at }, if the domain wants it
tls-ledger-asked = whether the domain wants it could not be found out, and is asked again at { $at }: { $problem }
tls-ledger-goes = { $rua }: goes at { $at }
tls-ledger-mailed = { $rua }: in the queue as { $id } (postrider queue show { $id })
tls-ledger-taken = { $rua }: taken
tls-ledger-again = { $rua }: not taken, tried again at { $at }: { $problem }
tls-ledger-failed = { $rua }: given up: { $problem }
tls-ledger-hastened = { $n ->
    [0] Nothing was gathered that could be sent.
    [one] One report goes now, if its domain wants it.
   *[other] { $n } reports go now, to those domains that want them.
}
