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
