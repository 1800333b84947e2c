# Wat `postrider check` vond over versleuteling, certificaten en de weg.

found-tls-works = Versleuteling met { $subject } werkt ({ $object }).
found-tls-refused = { $subject } biedt versleuteling aan (STARTTLS) en weigert haar als erom wordt gevraagd: { $object } Mail erheen gaat onversleuteld, of wacht waar versleuteling is geëist. De beheerder ervan moet naar certificaat en sleutel kijken.
found-tls-handshake-fails = { $subject } biedt versleuteling aan, en die komt niet tot stand: { $object }. Mail erheen gaat onversleuteld, of wacht waar versleuteling is geëist. De beheerder ervan moet dat verhelpen.
found-tls-breaks = Versleuteling met { $subject } komt tot stand, en daarna zegt de server niets zinnigs meer. De beheerder ervan moet dat verhelpen.
found-certificate-good = Het certificaat van { $subject } is in orde: een certificaatautoriteit die deze machine vertrouwt staat ervoor in, en het geldt voor die naam. Het is geldig tot { $object }.
found-certificate-ends-soon = Het certificaat van { $subject } loopt binnenkort af, op { $object }. Wie de server beheert moet het voor die tijd vernieuwen; daarna sturen afzenders die een certificaat eisen er geen mail meer heen.
found-certificate-expired = Het certificaat van { $subject } is verlopen op { $object }. Afzenders die een certificaat eisen sturen er geen mail heen. Wie de server beheert moet het vernieuwen.
found-certificate-not-yet-valid = Het certificaat van { $subject } geldt pas vanaf { $object }. Of de server heeft een certificaat voor later, of de klok van deze machine loopt verkeerd.
found-certificate-other-name = Het certificaat van { $subject } is niet voor die naam; het is voor { $object }. Afzenders die een certificaat eisen sturen er geen mail heen. Wie de server beheert heeft een certificaat nodig voor de naam in het MX-record, of het MX-record moet een naam noemen die in het certificaat staat.
found-certificate-self-signed = Het certificaat van { $subject } staat voor zichzelf in: er staat geen certificaatautoriteit achter. Dat versleutelt en bewijst niets. Afzenders die een certificaat eisen sturen er geen mail heen.
found-certificate-unknown-issuer = Het certificaat van { $subject } is van een uitgever die naar geen certificaatautoriteit leidt die deze machine vertrouwt: { $object }. Meestal stuurt de server alleen het eigen certificaat, zonder die tussen dat en de autoriteit.
found-certificate-unusable = Aan het certificaat van { $subject } is niet te zien wie de server is: { $object }
found-dane-met = Het certificaat van { $subject } is zoals het domein in de ondertekende DNS zegt (DANE): het past bij het TLSA-record { $object }.
found-dane-not-met = Het certificaat van { $subject } past bij geen van de TLSA-records die het domein ervoor in de ondertekende DNS heeft (DANE). Meestal is het certificaat vernieuwd en het record niet. Wie het domein beheert moet het record publiceren dat past bij wat de server nu laat zien ({ $object }), als dat echt het eigen certificaat is; of de server het certificaat teruggeven dat gepubliceerd is. Tot dan sturen afzenders die zich aan DANE houden er geen mail heen.
found-dane-chain-invalid = Het certificaat van { $subject } is van een certificaatautoriteit die het domein in de ondertekende DNS noemt (DANE), en geldt toch niet: { $object }. Tot wie de server beheert het vernieuwt, sturen afzenders die zich aan DANE houden er geen mail heen.
found-dane-unencrypted = Het domein heeft TLSA-records voor { $subject } in de ondertekende DNS ({ $object }), dus mail mag er alleen versleuteld heen, en dat komt niet tot stand. Afzenders die zich aan DANE houden sturen er geen mail heen. Wie de server beheert moet STARTTLS herstellen, of de records weghalen.
found-mta-sts-met = { $subject } is zoals het beleid van het domein (MTA-STS) eist: het beleid noemt hem, en een certificaatautoriteit die deze machine vertrouwt staat voor hem in ({ $object }).
found-mta-sts-certificate = Het certificaat van { $subject } is niet zoals het beleid van het domein (MTA-STS) eist, dat er een voor die naam van een certificaatautoriteit wil: { $object }. Afzenders die zich aan het beleid houden sturen er in de stand enforce geen mail heen. Wie de server beheert moet zo'n certificaat aanschaffen.
found-mta-sts-unencrypted = Het beleid van het domein (MTA-STS) eist dat mail versleuteld naar { $subject } gaat ({ $object }), en dat komt niet tot stand. Afzenders die zich aan het beleid houden sturen er in de stand enforce geen mail heen. Wie de server beheert moet STARTTLS herstellen.
found-goes-by-dane = Van wat er over { $subject } gepubliceerd is, houdt deze relay zich aan de TLSA-records in de ondertekende DNS ({ $object }): DANE gaat voor een beleid van MTA-STS.
found-goes-by-mta-sts = Van wat er over { $subject } gepubliceerd is, houdt deze relay zich aan het beleid van het domein, MTA-STS ({ $object }): er zijn geen TLSA-records waar hij zich aan zou kunnen houden.
found-goes-by-testing = Het beleid van het domein (MTA-STS) staat in de stand testing ({ $object }): deze relay stuurt mail naar { $subject } zoals zonder.
found-goes-by-our-configuration = Van wat er over { $subject } gepubliceerd is, houdt deze relay zich aan niets: zijn eigen instellingen zeggen wat hij eist ([tls.policy], [delivery] tls of [tls] dane).
found-large-gets-through = Pakketten van volle grootte komen door naar { $subject }: een regel van { $object } bytes is ontvangen, net als kleine.
found-large-gets-lost = { $subject } beantwoordt kleine regels, en een regel van { $object } bytes, die een pakket vult, is nooit bevestigd. Pakketten van volle grootte gaan onderweg verloren en niemand meldt het aan deze machine: kleine berichten komen door, en grote blijven tijdens het verzenden hangen. Meestal neemt een firewall of tunnel ertussen alleen kleinere pakketten aan en wordt de ICMP-melding die dat zou zeggen (fragmentation needed; IPv6: packet too big) weggegooid. Wie het netwerk ertussen beheert moet het verhelpen, aan de ene of de andere kant.
found-stalled-while-sending = Voor { $subject } viel de verbinding midden in een bericht stil ({ $object } pogingen): wat in pakketten van volle grootte was verstuurd is nooit bevestigd, en is steeds opnieuw verstuurd. De kleine regels ervoor waren beantwoord. Dat gebeurt waar pakketten van volle grootte onderweg verloren gaan (path MTU).

seen-certificate = certificaat van { $text }, uitgegeven door { $other }
seen-certificate-names = voor { $text }
seen-certificate-nameless = geen naam
seen-certificate-time = geldig van { $text } tot { $other }
seen-path-mtu = grootste pakket dat naar verluidt doorkomt: { $n } bytes
seen-path-segment = gegevens in één pakket: { $n } bytes
seen-path-confirmed = alles wat is verstuurd is bevestigd
seen-path-unconfirmed = { $bytes } bytes niet bevestigd, { $n } keer tevergeefs opnieuw verstuurd
