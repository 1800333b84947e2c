# Wat `postrider check` vond. Elke tekst zegt wat er te zien was en wat dat betekent.

checked-title = { $subject }: { $outcome }
checked-fine = er is niets mis gevonden
checked-problems = { $n ->
    [one] { $n } probleem
   *[other] { $n } problemen
}
checked-warnings = { $n ->
    [one] { $n } ding om naar te kijken
   *[other] { $n } dingen om naar te kijken
}
checked-unknown = { $n } niet na te gaan
checked-seen = Gezien
checked-route = Route
verdict-fine = Goed
verdict-cannot-tell = Onbekend
verdict-warning = Let op
verdict-problem = Probleem

# Onze eigen route en verbinding.
found-route-configured = Mail voor { $subject } gaat naar { $object }, zoals ingesteld.
found-route-found = Er is een weg voor mail naar { $subject }: { $object ->
    [one] { $object } adres om te proberen.
   *[other] { $object } adressen om te proberen, in de volgorde hieronder.
}
found-route-to-maildir = Mail voor { $subject } blijft op deze machine, in { $object }.
found-route-to-program = Mail voor { $subject } gaat naar een programma op deze machine: { $object }.
found-route-missing = Er is geen weg voor mail naar { $subject }: het adres heeft geen domein, en geen route van ons neemt zulke adressen aan.
found-route-to-self = De beste mailserver van { $subject } is deze server zelf, onder de naam { $object }. Mail daarvoor zou rondjes draaien. Of deze server hoort die mail te houden en er ontbreekt een route voor, of de records van het domein kloppen niet.
found-route-host-unknown = Onze eigen instellingen sturen mail voor { $subject } naar { $object }, en die server heeft geen adres in de DNS.
found-line-works = De naamserver die wij vragen ({ $subject }) antwoordt: onze eigen verbinding werkt.
found-line-down = De naamserver die wij vragen ({ $subject }) antwoordt nergens op. Zolang dat zo is kan er geen mail weg, en het zegt niets over de ontvanger: kijk eerst naar het netwerk van deze machine.
found-destinations-fail-alike = { $object } van { $subject } bestemmingen waarvoor mail wacht zijn niet te bereiken. Ze hebben niets met elkaar te maken, dus het ligt aan onze eigen verbinding: uitgaand verkeer op poort 25 wordt geblokkeerd, of de lijn ligt eruit.
found-destinations-differ = { $object } van { $subject } bestemmingen waarvoor mail wacht zijn niet te bereiken; met de andere is iets anders aan de hand. Het ligt niet aan onze eigen verbinding.

# De DNS van het domein.
found-domain-has-servers = { $subject } noemt { $object ->
    [one] één mailserver die een adres heeft.
   *[other] { $object } mailservers die een adres hebben.
}
found-domain-is-its-server = { $subject } noemt geen mailservers; het eigen adres neemt de mail aan. Dat mag.
found-domain-is-address = { $subject } is een adres ({ $object }): er valt niets op te zoeken.
found-domain-unknown = { $subject } bestaat niet. Meestal zit er een tikfout in het adres.
found-domain-takes-no-mail = { $subject } zegt van zichzelf dat het geen mail aanneemt (een null MX). Geen enkel adres daar zal ooit werken.
found-domain-has-no-server = { $subject } bestaat en heeft geen mailserver en geen eigen adres: mail kan er niet heen.
found-servers-have-no-address = Geen van de mailservers die { $subject } noemt heeft een adres. De eigenaar van dat domein moet de records verbeteren.
found-server-has-no-address = { $object }, een van de mailservers van { $subject }, heeft geen adres. De mail gaat naar de andere.
found-null-mx-beside-others = { $subject } zegt dat het geen mail aanneemt en noemt toch mailservers. Wij slaan het eerste over; andere verzenders misschien niet.
found-mx-is-alias = { $object }, een mailserver van { $subject }, is een bijnaam van een andere naam. De standaard staat dat niet toe; de meeste verzenders volgen het, sommige niet.
found-mx-is-address = { $subject } noemt het adres { $object } als mailserver, waar een naam moet staan. Geen verzender hoeft dat te begrijpen.
found-mx-is-localhost = { $subject } noemt { $object } als mailserver: de machine die het vraagt. Elke verzender zou bij zichzelf bezorgen.
found-mx-not-public = { $object }, een mailserver van { $subject }, heeft alleen adressen van een besloten netwerk of van de machine zelf. Wie buiten dat netwerk staat kan er niet bij.
found-dns-fails = De naamserver zegt dat hij niets over { $subject } te weten kon komen (SERVFAIL). Meestal liggen de eigen naamservers van het domein eruit, of kloppen hun handtekeningen niet. Mail wacht tot het hersteld is.
found-dns-refuses = De naamserver weigert antwoord te geven over { $subject }. Waarschijnlijk is hij niet voor ons bedoeld: kijk naar [dns] servers in de instellingen.
found-dns-silent = Er kwam niet op tijd antwoord over { $subject }. Of de naamservers daar of de onze traag zijn is van hier niet te zeggen.
found-dns-unreachable = De naamserver was niet te bereiken om naar { $subject } te vragen.
found-dns-unclear = Wat er over { $subject } terugkwam is geen bruikbaar antwoord.
found-dane-found = { $subject } heeft zijn certificaat in de ondertekende DNS staan ({ $object }). Mail gaat er alleen versleuteld heen, en alleen als het certificaat klopt.
found-dane-unusable = { $subject } heeft TLSA-records in de ondertekende DNS ({ $object }), maar geen ervan is tussen mailservers te gebruiken. Mail gaat er alleen versleuteld heen; wie de server is wordt niet nagegaan.
found-dane-unanswered = Of { $subject } zijn certificaat in de ondertekende DNS heeft staan is niet te achterhalen: { $object } heeft geen geldig antwoord. De server krijgt geen mail tot dat hersteld is, want anders zou mail op een dwaalspoor te brengen zijn.
found-dane-none = { $subject } publiceert geen certificaten van zijn mailservers in de ondertekende DNS (DANE): langs die weg wordt niets geëist.
found-dane-not-asked = Of { $subject } certificaten van zijn mailservers in de ondertekende DNS publiceert (DANE) is niet bekeken: de resolver staat niet op deze machine, en [dns] trust_ad zegt niet dat zijn woord telt.
found-mta-sts-found = { $subject } heeft een beleid voor zijn mailservers (MTA-STS): { $object }. In de stand enforce gaat mail alleen naar de servers die het noemt, versleuteld en met een geldig certificaat.
found-mta-sts-none = { $subject } heeft geen beleid voor zijn mailservers (MTA-STS).
found-mta-sts-unavailable = { $subject } kondigt een beleid voor zijn mailservers aan (MTA-STS) dat niet te krijgen is: { $object }. Mail gaat zoals zonder, tenzij de relay een eerder beleid bewaart.
found-mta-sts-omits = { $subject } is een mailserver die het beleid van het domein (MTA-STS) niet noemt; het noemt { $object }. In de stand enforce gaat daar geen mail heen.

# De servers.
found-server-answers = { $subject } neemt verbindingen aan. Hij begroet met: { $object }
found-connection-refused = { $subject } antwoordt dat daar niets luistert: de mailserver draait niet, of een firewall wijst ons af.
found-connection-silent = { $subject } antwoordt helemaal niet: hij ligt eruit, of een firewall onderweg slikt in wat wij sturen.
found-network-unreachable = Het netwerk kent geen weg naar { $subject }. Bij een IPv6-adres is dat gewoon als deze machine geen IPv6 heeft.
found-connection-reset = De verbinding met { $subject } werd afgebroken terwijl ze werd gemaakt.
found-connection-local = Deze machine kon zelf de verbinding met { $subject } niet maken.
found-greeting-refused = { $subject } neemt de verbinding aan en weigert meteen: { $object }
found-hello-refused = { $subject } weigert de naam waarmee wij ons voorstellen: { $object }
found-server-drops = { $subject } neemt de verbinding aan en sluit haar zonder een woord. Firewalls doen dat met verzenders die ze niet vertrouwen.
found-server-silent = { $subject } neemt de verbinding aan en zegt dan niets. Hij is overbelast, of iets ertussen houdt zijn woorden tegen.
found-not-smtp = Wat er bij { $subject } antwoordt is geen mailserver.
found-no-server-reached = Geen mailserver van { $subject } neemt op dit moment mail van ons aan.
found-recipient-taken = Het adres { $subject } zou worden aangenomen: { $object } Er is niets gestuurd.
found-recipient-refused = Het adres { $subject } wordt geweigerd: { $object }
found-probe-refused = Of { $subject } zou worden aangenomen kon niet worden gevraagd: de server zei daarvoor al nee, met: { $object }
found-probe-broke = Of { $subject } zou worden aangenomen is niet na te gaan: de verbinding eindigde voor het antwoord.
found-extensions-announced = { $subject } kan: { $object }.
found-no-extensions = { $subject } meldt niets dat hij kan: hij is heel oud, of een firewall ertussen verbergt het.
found-no-eight-bit = { $subject } neemt alleen kale 7-bits tekst aan. Berichten met andere letters moeten eerst worden omgezet.
found-tls-announced = { $subject } biedt versleuteling aan (STARTTLS).
found-tls-not-announced = { $subject } biedt geen versleuteling aan (STARTTLS). Mail erheen is onderweg te lezen.
found-size-announced = { $subject } neemt berichten aan tot { $object } bytes.
found-size-unlimited = { $subject } noemt geen grootste omvang.
found-message-fits = Het bericht is kleiner dan de { $object } bytes die { $subject } aanneemt.
found-message-too-large = Het bericht is groter dan de { $object } bytes die { $subject } aanneemt. Zo groot zal het nooit worden aangenomen.
found-limits-announced = { $subject } heeft grenzen: { $object }. (RCPTMAX: ontvangers in één keer; MAILMAX: berichten van één verbinding.)
found-no-limits-announced = { $subject } noemt geen grenzen voor ontvangers of berichten.
found-out-of-time = De controle { $object } duurde te lang en is afgebroken ({ $subject }).

# Wijzelf.
found-our-address-private = Deze machine heeft het besloten adres { $subject }; anderen zien een ander adres, dat hier niet bekend is. Zet het in de instellingen, [checks] our_addresses, dan kan worden nagegaan wat ervan afhangt.
found-our-address-unknown = Deze machine heeft geen adres waarmee de ontvanger te bereiken is.
found-ptr-confirmed = Ons adres { $subject } heeft de naam { $object }, en die naam leidt weer naar het adres: zoals ontvangers het willen.
found-ptr-missing = Ons adres { $subject } heeft geen naam (geen reverse DNS). Veel ontvangers nemen van zulke adressen geen mail aan.
found-ptr-leads-elsewhere = Ons adres { $subject } heeft de naam { $object }, en die leidt niet terug naar het adres. Veel ontvangers tellen dat als geen naam.
found-ptr-unanswered = Of ons adres { $subject } een naam heeft die terugleidt is niet na te gaan.
found-helo-resolves = De naam waarmee wij ons voorstellen, { $subject }, leidt naar ons adres { $object }.
found-helo-leads-elsewhere = De naam waarmee wij ons voorstellen, { $subject }, leidt naar { $object }, en dat zijn wij niet.
found-helo-unknown = De naam waarmee wij ons voorstellen, { $subject }, heeft geen adres. Sommige ontvangers weigeren mail daarom.
found-helo-not-a-name = Wij stellen ons voor als { $subject }, en dat is geen volledige naam. Zet [server] hostname in de instellingen, zoals mail.example.org.
found-helo-not-compared = De naam waarmee wij ons voorstellen, { $subject }, leidt naar { $object }. Of wij dat zijn is niet bekend: deze machine heeft een besloten adres.
found-helo-unanswered = Waar de naam heen leidt waarmee wij ons voorstellen, { $subject }, is niet na te gaan.

# Voor wie wij versturen.
found-sender-domain-reachable = Het domein van de afzender, { $subject }, kan antwoord krijgen: mail kan ergens heen.
found-sender-domain-unknown = Het domein van de afzender, { $subject }, bestaat niet of heeft geen mailserver. Veel ontvangers nemen er geen mail van aan, en meldingen kunnen niet terug.
found-sender-takes-no-mail = Het domein van de afzender, { $subject }, zegt dat het geen mail aanneemt. Ontvangers mogen weigeren wat ervandaan komt.
found-sender-unanswered = Of het domein van de afzender, { $subject }, antwoord kan krijgen is niet na te gaan. Ontvangers die ernaar kijken hebben hetzelfde probleem.
found-spf-pass = SPF: ons adres { $object } mag versturen voor { $subject }.
found-spf-fail = SPF: het record van { $subject } zegt dat ons adres { $object } er niet voor mag versturen. Ontvangers zullen zulke mail weigeren.
found-spf-soft-fail = SPF: het record van { $subject } zegt dat ons adres { $object } er waarschijnlijk niet voor mag versturen. Ontvangers zullen het wantrouwen.
found-spf-neutral = SPF: het record van { $subject } zegt niets over ons adres { $object }.
found-spf-none = SPF: { $subject } zegt niet wie ervoor mag versturen. Grote ontvangers willen zo'n record.
found-spf-broken = SPF: het record van { $subject } is niet bruikbaar. Voor ontvangers is dat erger dan geen.
found-spf-unanswered = SPF: wat { $subject } over ons adres zegt is niet na te gaan: een vraag onderweg blijft zonder antwoord. Ontvangers hebben hetzelfde probleem en stellen de mail uit.
found-spf-not-compared = SPF: { $subject } heeft een record, en het is leesbaar. Of wij mogen versturen is niet bekend, want ons adres zoals anderen het zien is dat ook niet.
found-dmarc-found = DMARC: { $subject } vraagt ontvangers mail die niets bewijst zo te behandelen: { $object }.
found-dmarc-none = DMARC: { $subject } heeft geen beleid. Grote ontvangers willen er een, al is het maar p=none.
found-dmarc-broken = DMARC: het record van { $subject } is niet bruikbaar.
found-dmarc-unanswered = DMARC: het beleid van { $subject } is niet na te gaan.
found-dkim-key-found = DKIM: de sleutel { $subject } is gepubliceerd ({ $object }).
found-dkim-key-missing = DKIM: er is geen sleutel bij { $subject }. Wat ermee ondertekend is telt als niet ondertekend.
found-dkim-key-revoked = DKIM: de sleutel { $subject } is door de eigenaar ingetrokken.
found-dkim-key-broken = DKIM: het record bij { $subject } is niet bruikbaar.
found-dkim-key-weak = DKIM: de sleutel { $subject } heeft { $object } bits. Ontvangers tellen sleutels van minder dan 1024 niet.
found-dkim-unanswered = DKIM: de sleutel { $subject } kon niet worden opgezocht.
found-not-listed = { $subject } staat niet op de lijst { $object }.
found-address-listed = Ons adres { $subject } staat op de zwarte lijst { $object }. Wie die lijst gebruikt neemt geen mail van ons aan.
found-domain-listed = Het domein { $subject } staat op de zwarte lijst { $object }. Wie die lijst gebruikt neemt geen mail uit die naam aan.
found-list-refuses-us = De lijst { $object } geeft de naamserver die wij gebruiken geen antwoord, zodat over { $subject } niets bekend is. Dat is geen vermelding. Lijsten weigeren grote openbare naamservers: gebruik een eigen.
found-list-broken = De lijst { $object } zakt voor de proef die elke werkende lijst doorstaat, zodat wat hij over { $subject } zegt niets betekent. Misschien is hij opgeheven: haal hem uit [checks] block_lists.
found-list-unanswered = De lijst { $object } antwoordde niet; over { $subject } is niets bekend.
found-lists-not-asked = De lijsten zijn niet gevraagd naar ons adres { $subject }: alleen een adres dat anderen kunnen zien staat op een lijst.

# De rij.
found-trail-straight = Het bericht { $subject } is langs { $object } servers gekomen, elk één keer.
found-trail-loops = Het bericht { $subject } draait rondjes: het is meer dan eens langs { $object } gekomen.
found-trail-gone = De inhoud van { $subject } wordt niet meer bewaard, zodat niet te lezen is waarlangs het kwam.
found-no-attempts = Voor { $subject } is nog niets mislukt ({ $object } pogingen).
found-attempts-fail-alike = Voor { $subject } mislukten alle { $object } pogingen om dezelfde reden. Nog een poging helpt pas als die weg is.
found-attempts-differ = Voor { $subject } mislukten { $object } pogingen om verschillende redenen. Dat wijst op iets tijdelijks, of op verschillende servers die zich anders gedragen.
found-attempts-ended = { $subject } heeft het bericht, na { $object } pogingen.
found-breaks-at-same-point = Voor { $subject } brak de verbinding meer dan eens op dezelfde plaats, na { $object } bytes. Dat is geen toeval: een filter daar verdraagt niet wat er dan komt, of grote pakketten raken onderweg kwijt (MTU).
found-sending-now = Naar { $object } ontvangers bij { $subject } wordt op dit moment verstuurd.
found-own-filters = Mail die bij deze server binnenkomt wordt aan eigen filters voorgelegd: { $object }. Wat zij vasthielden staat in de wachtrij ("postrider queue list"), en wat zij weigerden staat in het logboek, als "refused".
found-no-own-filter = Deze server heeft zelf geen filter: hij hield het bericht niet tegen.

# Bewijs.
seen-asked = { $question } → { $answer }
seen-asked-of = ({ $servers }, { $ms } ms)
seen-no-records = geen zo'n record
seen-no-such-name = deze naam bestaat niet (NXDOMAIN)
seen-not-a-name = geen naam
seen-server-failure = het lukte de server niet (SERVFAIL)
seen-refused = geweigerd (REFUSED)
seen-timed-out = niet op tijd antwoord
seen-unreachable = naamserver niet te bereiken
seen-connected = verbonden met { $address } vanaf { $from } ({ $ms } ms)
seen-received = ontvangen: { $text }
seen-broke = de verbinding eindigde: { $how } ({ $ms } ms)
seen-spf-matches = { $domain }: { $term } – dat zijn wij
seen-spf-passes = { $domain }: { $term } – dat zijn wij niet
seen-spf-leads-on = { $domain }: { $term } – lees daar verder
seen-spf-broken = { $domain }: { $term } – niet bruikbaar
seen-spf-unanswered = { $domain }: { $term } – geen antwoord
seen-attempt = { $at }, { $destination }: { $cause }
seen-attempt-taken = { $at }, { $destination }: aangenomen
seen-destination = { $key }: { $queued } wachten, { $failures } keer achtereen mislukt, { $cause }
seen-no-cause = niets bekend
seen-hop = langs { $host }
seen-hop-again = langs { $host }, die meer dan eens voorkomt
seen-sending = wordt verstuurd: { $n }
seen-hops = servers onderweg: { $n }
seen-message-size = omvang van het bericht: { $n } bytes
seen-text = “{ $text }”

# Wat er mis is met een record.
defect-several = er zijn er meer waar er één mag zijn: { $text }
defect-unknown-term = dit kent niemand: { $text }
defect-bad-value = deze waarde klopt niet: { $text }
defect-missing-value = hier ontbreekt iets: { $text }
defect-twice = dit staat er twee keer: { $text }
defect-too-many-lookups = er zijn meer dan tien vragen nodig om het te lezen, en dat mag niet; de eerste te veel is: { $text }
defect-too-many-void = te veel namen erin bestaan niet; de laatste was: { $text }
defect-no-record-there = het leidt naar een domein dat zo'n record niet heeft: { $text }
defect-circle = het leidt in een kring, terug naar: { $text }

# Stappen van de route.
way-configured = onze route "{ $pattern }" zegt: { $hop }
way-default = er is bij ons geen route ingesteld: de mailservers die het domein noemt ({ $hop })
way-as-user = daar loggen we in als { $value }
way-as-helo = daar noemen we ons { $value }
way-as-source = we komen vanaf { $value }
way-literal = het domein is het adres { $address }
way-exchangers = { $domain } noemt, de beste eerst: { $records }
way-null-mx = { $domain } zegt dat het geen mail aanneemt (MX 0 .)
way-implicit = { $domain } noemt geen mailservers: het eigen adres telt
way-ourselves = { $exchanger } (voorkeur { $preference }) is deze server: wat niet beter is valt af, er blijven { $left } over
way-host = { $name } → { $addresses }
way-no-address = { $name } heeft geen adres
way-host-unknown = { $name } bestaat niet
way-host-unanswered = het adres van { $name } was niet te vinden
