# Wie er aan zet is.
who-sender = De afzender van het bericht.
who-us = De beheerder van de verzendende mailserver.
who-network = Nog niemand: het ligt aan het netwerk ertussen en gaat meestal vanzelf over. Blijft het zo, dan de beheerder van de verzendende mailserver.
who-receiver = De beheerder van de ontvangende mailserver.
who-nobody = Niemand: er is niets misgegaan.
who-recipient = Degene voor wie het bericht bestemd is.

# Wat u kunt doen.
do-wait = U hoeft niets te doen: de volgende poging slaagt meestal.
do-correct-address = Kijk de spelling van het adres na, verbeter het en stuur het bericht opnieuw.
do-correct-sender = Stuur met een adres dat bij het account hoort: kijk in het mailprogramma het afzenderadres na.
do-tell-recipient = Laat de ontvanger langs een andere weg (bijvoorbeeld per telefoon) weten wat hier staat: alleen die kan er iets aan doen.
do-tell-recipient-to-make-room = Laat de ontvanger langs een andere weg (bijvoorbeeld per telefoon) weten dat de postbus vol is.
do-ask-recipient = Vraag de ontvanger langs een andere weg (bijvoorbeeld per telefoon) om uw adres toe te laten.
do-ask-receiver = Vraag het de beheerder van de ontvangende server, en laat de woorden van die server zien die hier staan.
do-ask-own-provider = Vraag het uw eigen mailprovider of IT-afdeling, en stuur deze hele tekst mee.
do-ask-whether-it-arrived = Vraag de ontvanger of het bericht er is, voordat u het zelf nog eens stuurt.
do-send-again = Stuur het bericht opnieuw.
do-send-smaller = Stuur minder mee: laat bijlagen weg, maak ze kleiner, of stuur een link.
do-send-slower = Stuur minder tegelijk naar deze ontvanger.
do-stop-unwanted = Schrijf geen mensen meer aan die dat niet willen: haal wie klaagt van de lijst en maak afmelden makkelijk.
do-change-content = Verander wat het filter kan storen (links, bijlagen, woordkeus) en stuur het bericht opnieuw.
do-scan-own-machine = Laat de computer waar het bericht vandaan komt op virussen controleren voordat u nog iets stuurt.
do-mend-route = Kijk de routes van de verzendende server na, en de MX-records (die de mailserver noemen) van het domein van de ontvanger.
do-mend-our-configuration = Verbeter de instellingen van de verzendende server. Met Postrider: postrider config check, en daarna postrider queue retry.
do-mend-our-network = Kijk het netwerk van de verzendende server na, de firewall en de provider: uitgaand verkeer op poort 25, dat voor mail nodig is, wordt vaak geblokkeerd.
do-mend-login = Kijk de gebruikersnaam, het wachtwoord en de manier van inloggen na die voor deze server zijn ingesteld.
do-mend-helo = Laat de verzendende server zich voorstellen met zijn volledige naam (zoals mail.example.org), een naam die naar zijn eigen netwerkadres leidt.
do-mend-path-mtu = Laat ICMP type 3 code 4 (IPv6: type 2) door elke firewall tussen hier en daar. Tot dat zo is: beperk de segmentgrootte waar de smalle verbinding begint (nftables: tcp flags syn tcp option maxseg size set rt mtu; iptables: -j TCPMSS --clamp-mss-to-pmtu), of verlaag de MTU van de interface van deze machine, of laat de kernel het zelf uitzoeken (sysctl net.ipv4.tcp_mtu_probing=1).
do-mend-ptr = Laat de provider een naam aan het netwerkadres geven (reverse DNS) en zorg dat die naam weer naar het adres leidt.
do-mend-spf = Zet de verzendende server in het SPF-record van het domein van de afzender, of verstuur via een server die er al in staat.
do-mend-dkim = Laat de verzendende server ondertekenen voor het domein van de afzender (DKIM), en kijk na of de openbare sleutel in de DNS erbij hoort.
do-mend-dmarc = Zorg dat SPF of DKIM slaagt voor precies het domein in het Van-veld; stuurt een dienstverlener namens u, dan moet die uw domein gebruiken.
do-mend-sender-domain = Kijk na of het domein van de afzender in de DNS bestaat en een mailserver heeft, en of het adres van de afzender daar mail aanneemt.
do-mend-sending-software = Werk het programma bij dat het bericht maakte of verstuurde, of meld de fout bij de maker ervan.
do-renew-certificate = Haal een certificaat van een bekende certificaatautoriteit voor de naam waaronder anderen komen, met de certificaten ertussen in hetzelfde bestand ([[tls.certificate]] chain), en daarna: postrider reload-certificates.
do-prove-identity = Publiceer of verbeter de records van het domein van de afzender (SPF, DKIM, DMARC) en de reverse DNS van de verzendende server.
do-delist = Zoek de reden van de vermelding, neem die weg, en vraag dan de beheerder van de lijst om de vermelding te schrappen.
do-use-smarthost = Verstuur niet rechtstreeks vanaf deze verbinding, maar via de mailserver van uw provider.
do-break-loop = Zoek een doorstuurregel die naar zichzelf terugleidt, en haal die weg.

# Wat er te bekijken valt, en wat dat laat zien.
check-attempt-history = Bekijk alle pogingen voor dit bericht tot nu toe: wat er telkens gebeurde, en of het steeds hetzelfde is
check-block-lists = Zoek het adres van de verzendende server en het domein van de afzender op in de bekende zwarte lijsten: of ze erop staan
check-dns-of-domain = Zoek het domein op in de DNS: of het bestaat, en welke mailservers het noemt
check-extensions-announced = Vraag de ontvangende server wat hij kan: of hij letters buiten a tot en met z en andere nieuwere mogelijkheden aankan
check-limits-announced = Vraag de ontvangende server naar zijn grenzen: hoeveel ontvangers hij in één keer aanneemt
check-our-helo = Zoek de naam op waarmee de verzendende server zich voorstelt: of die naar deze server leidt
check-our-ptr = Zoek de naam bij het netwerkadres van de verzendende server op: of die er is, en of die weer naar het adres leidt
check-own-concurrency = Tel de open verbindingen van de verzendende server met deze ontvanger: of het er meer zijn dan mag
check-own-filter = Kijk in het logboek van het filter aan de kant van de afzender: of het dit bericht tegenhield, en waarom
check-own-routes = Loop de routes van de verzendende server stap voor stap na: waar dit bericht heen zou gaan
check-path-mtu = Stuur naar elke mailserver van de ontvanger één regel die een pakket vult: of die doorkomt zoals kleine regels
check-received-trail = Lees langs welke servers het bericht is gekomen: of er een terugkeert
check-sender-identity = Zoek SPF, DKIM en DMARC van het domein van de afzender op: of de verzendende server ervoor mag sturen
check-size-announced = Vraag de ontvangende server hoe groot een bericht mag zijn: of dit groter is
check-start-tls = Begin versleuteling met elke mailserver van de ontvanger: of die tot stand komt, en of zijn certificaat in orde is
check-tcp-and-banner = Maak verbinding met elke mailserver van de ontvanger: of hij antwoordt, en hoe hij begroet

# Wat er nu gebeurt.
next-delivered = Niets meer: het bericht is afgeleverd.
next-retry = Uw mail is niet kwijt. De volgende poging is { $when }.
next-retry-asked = Uw mail is niet kwijt. De volgende poging is { $when }, omdat de ontvanger om { $wait } vroeg.
next-retry-learnt = Uw mail is niet kwijt. De volgende poging is { $when }: deze ontvanger liet zulke mail eerder { $wait } wachten.
next-retry-last = Uw mail is nog niet kwijt. De laatste poging is { $when }; dan heeft het bericht zo lang gewacht als mag.
next-retry-sender = Uw mail is niet kwijt. Ze gaat weg { $when }, omdat de afzender vroeg om ze tot dan vast te houden.
next-retry-admin = Uw mail is niet kwijt. De volgende poging is { $when }, zoals de beheerder heeft gevraagd.
next-transaction = Uw mail is niet kwijt. Het bericht gaat meteen mee met de volgende aflevering bij dezelfde server.
next-other-host = Uw mail is niet kwijt. Een andere server van dezelfde ontvanger wordt meteen geprobeerd.
next-conversion = Uw mail is niet kwijt. Het bericht wordt omgezet in een vorm die de ontvanger aanneemt, en gaat dan meteen verder.
next-resume = Uw mail is niet kwijt. Het bericht wacht tot de beheerder deze bestemming weer vrijgeeft.
next-hold = Uw mail is niet kwijt. Het bericht wordt vastgehouden tot de beheerder het vrijgeeft.
next-fail = Het bericht is bij deze ontvanger niet afgeleverd en er volgen geen pogingen meer. De afzender krijgt hierover bericht.
next-waits = Uw mail is niet kwijt. Het bericht is bewaard en wordt opnieuw geprobeerd.

# Tijden.
when-now = nu
when-at = om { $time } (over { $span })
when-past = nu aan de beurt (sinds { $time })
span-seconds = { $n ->
    [one] { $n } seconde
   *[other] { $n } seconden
}
span-minutes = { $n ->
    [one] { $n } minuut
   *[other] { $n } minuten
}
span-hours = { $n } uur
span-days = { $n ->
    [one] { $n } dag
   *[other] { $n } dagen
}
