# Wie er aan zet is.
who-sender = De afzender van het bericht.
who-us = De beheerder van deze mailserver.
who-network = Nog niemand: het ligt aan het netwerk ertussen en gaat meestal vanzelf over. Blijft het zo, dan de beheerder van deze mailserver.
who-receiver = De beheerder van de ontvangende mailserver.
who-recipient = Degene voor wie het bericht bestemd is.

# Wat u kunt doen.
do-wait = U hoeft niets te doen: de volgende poging slaagt meestal.
do-correct-address = Kijk de spelling van het adres na, verbeter het en stuur het bericht opnieuw.
do-tell-recipient-to-make-room = Laat de ontvanger langs een andere weg weten (bijvoorbeeld per telefoon) dat de postbus vol is.
do-send-smaller = Stuur minder mee: laat bijlagen weg, maak ze kleiner, of stuur een link.
do-ask-receiver = Vraag het de beheerder van de ontvangende server, en laat de woorden van hun server zien die hier staan.
do-mend-route = Kijk de routes van deze mailserver na en de MX-records van het domein van de ontvanger.
do-mend-our-configuration = Verbeter de instellingen van deze mailserver (postrider config check), en daarna: postrider queue retry.
do-mend-our-network = Kijk het netwerk van deze machine na, de firewall en de provider: uitgaand verkeer op poort 25 wordt vaak geblokkeerd.
do-prove-identity = Publiceer of verbeter de records van het domein van de afzender (SPF, DKIM, DMARC) en de reverse DNS van deze server.
do-delist = Zoek de reden van de vermelding, neem die weg, en vraag dan de beheerder van de lijst om het adres eraf te halen.
do-send-slower = Stuur minder tegelijk naar deze ontvanger.
do-change-content = Verander wat het filter kan storen (links, bijlagen, woordkeus) en stuur het bericht opnieuw.
do-break-loop = Zoek een doorstuurregel die naar zichzelf terugleidt, en haal die weg.
do-ask-whether-it-arrived = Vraag de ontvanger of het bericht er is, voordat u het zelf nog eens stuurt.

# Wat er nu gebeurt.
next-delivered = Niets meer: het bericht is afgeleverd.
next-retry = Uw mail is niet kwijt. De volgende poging is { $when }.
next-retry-asked = Uw mail is niet kwijt. De volgende poging is { $when }, omdat de ontvanger om { $wait } vroeg.
next-retry-last = Uw mail is nog niet kwijt. De laatste poging is { $when }; dan heeft het bericht zo lang gewacht als mag.
next-retry-admin = Uw mail is niet kwijt. De volgende poging is { $when }, zoals de beheerder heeft gevraagd.
next-transaction = Uw mail is niet kwijt. Het bericht gaat meteen mee met de volgende aflevering bij dezelfde server.
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
