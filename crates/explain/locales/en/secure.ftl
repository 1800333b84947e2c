# What `postrider check` found about encryption, certificates and the way.

found-tls-works = Encryption with { $subject } works ({ $object }).
found-tls-refused = { $subject } offers encryption (STARTTLS) and refuses it when it is asked for: { $object } Mail to it goes in the clear, or waits where encryption is demanded. Its administrator has to look at its certificate and key.
found-tls-handshake-fails = { $subject } offers encryption, and it does not come about: { $object }. Mail to it goes in the clear, or waits where encryption is demanded. Its administrator has to mend it.
found-tls-breaks = Encryption with { $subject } comes about, and then the server says nothing sensible any more. Its administrator has to mend it.
found-certificate-good = The certificate of { $subject } is in order: an authority that this machine trusts vouches for it, and it holds for that name. It is valid until { $object }.
found-certificate-ends-soon = The certificate of { $subject } ends soon, at { $object }. Who runs the server has to renew it before; after that, senders who demand a certificate send no mail to it.
found-certificate-expired = The certificate of { $subject } expired at { $object }. Senders who demand a certificate send no mail to it. Who runs the server has to renew it.
found-certificate-not-yet-valid = The certificate of { $subject } is valid only from { $object } on. Either the server has a certificate for later, or the clock of this machine is wrong.
found-certificate-other-name = The certificate of { $subject } is not for that name; it is for { $object }. Senders who demand a certificate send no mail to it. Who runs the server needs a certificate for the name in the MX record, or the MX record should have a name that the certificate has.
found-certificate-self-signed = The certificate of { $subject } vouches for itself: no authority stands behind it. That encrypts and proves nothing. Senders who demand a certificate send no mail to it.
found-certificate-unknown-issuer = The certificate of { $subject } is by an issuer that leads to no authority this machine trusts: { $object }. Mostly the server sends its own certificate without those between it and the authority.
found-certificate-unusable = The certificate of { $subject } cannot be used to tell who the server is: { $object }
found-dane-met = The certificate of { $subject } is as the domain says in the signed DNS (DANE): it fits the TLSA record { $object }.
found-dane-not-met = The certificate of { $subject } fits none of the TLSA records that the domain has for it in the signed DNS (DANE). Mostly the certificate was renewed and the record was not. Who runs the domain has to publish the record that fits what the server shows now ({ $object }), if that is really its own; or to give the server back the certificate that is published. Until then, senders who go by DANE send no mail to it.
found-dane-chain-invalid = The certificate of { $subject } is by an authority that the domain names in the signed DNS (DANE), and it does not hold all the same: { $object }. Until who runs the server renews it, senders who go by DANE send no mail to it.
found-dane-unencrypted = The domain has TLSA records for { $subject } in the signed DNS ({ $object }), so mail may go there only encrypted, and that does not come about. Senders who go by DANE send no mail to it. Who runs the server has to mend its STARTTLS, or to take the records away.
found-mta-sts-met = { $subject } is as the domain's policy (MTA-STS) demands: the policy names it, and an authority that this machine trusts vouches for it ({ $object }).
found-mta-sts-certificate = The certificate of { $subject } is not as the domain's policy (MTA-STS) demands, which wants one for that name by an authority: { $object }. Senders who go by the policy send no mail to it in mode enforce. Who runs the server has to get such a certificate.
found-mta-sts-unencrypted = The domain's policy (MTA-STS) demands that mail goes to { $subject } encrypted ({ $object }), and that does not come about. Senders who go by the policy send no mail to it in mode enforce. Who runs the server has to mend its STARTTLS.
found-goes-by-dane = Of what is published about { $subject }, this relay goes by the TLSA records in the signed DNS ({ $object }): DANE goes before a policy of MTA-STS.
found-goes-by-mta-sts = Of what is published about { $subject }, this relay goes by the domain's policy of MTA-STS ({ $object }): there are no TLSA records that it could go by.
found-goes-by-testing = The domain's policy of MTA-STS is in mode testing ({ $object }): this relay sends mail to { $subject } as without it.
found-goes-by-our-configuration = Of what is published about { $subject }, this relay goes by nothing: its own configuration says what it demands ([tls.policy], [delivery] tls, or [tls] dane).
found-large-gets-through = Packets of full size get through to { $subject }: a line of { $object } bytes was received, as small ones were.
found-large-gets-lost = { $subject } answers small lines, and a line of { $object } bytes, which fills a packet, was never confirmed. Packets of full size get lost on the way and nobody tells this machine: small messages go through, and large ones hang while they are sent. Mostly a firewall or a tunnel between here and there takes smaller packets only and the ICMP message that would say so (fragmentation needed; IPv6: packet too big) is thrown away. Who runs the network between has to mend it, on either side.
found-stalled-while-sending = For { $subject } the connection fell silent in the middle of a message ({ $object } attempts): what was sent in packets of full size was never confirmed, and was sent again and again. The small lines before had been answered. That is what happens where packets of full size get lost on the way (path MTU).

seen-certificate = certificate of { $text }, issued by { $other }
seen-certificate-names = for { $text }
seen-certificate-nameless = no name
seen-certificate-time = valid from { $text } until { $other }
seen-path-mtu = largest packet believed to get through: { $n } bytes
seen-path-segment = data in one packet: { $n } bytes
seen-path-confirmed = all that was sent is confirmed
seen-path-unconfirmed = { $bytes } bytes not confirmed, sent again { $n } times for nothing
