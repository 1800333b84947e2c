# Eén bericht per oorzaak: de kop, en in .what wat het in gewone woorden betekent.
# "De verzendende server" is de server die probeert af te leveren; dat hoeft geen Postrider te zijn.

# Het adres zoals het geschreven is.
address-syntax = Het adres is niet geschreven zoals de ontvanger het verwacht
    .what = Volgens de ontvangende server klopt de opbouw van het adres niet: er ontbreekt een teken of er staat er een te veel.
address-ambiguous = Het adres past op meer dan één postbus
    .what = De ontvangende server vond meer postbussen die bedoeld kunnen zijn, en kiest niet. Een vollediger adres helpt.
address-moved = De postbus is verhuisd, zonder nieuw adres achter te laten
    .what = De ontvanger had dit adres vroeger wel, maar nu niet meer. Mail ernaartoe wordt niet doorgestuurd.
address-needs-utf8 = De ontvanger kan in adressen alleen de letters a tot en met z aan
    .what = Een adres van dit bericht bevat letters zoals é of ü, en de ontvangende server ondersteunt dat niet.

# Inloggen.
auth-required = De server wil dat er eerst wordt ingelogd
    .what = Deze server neemt alleen mail aan na inloggen. Het mailprogramma of de verzendende server is daar niet op ingesteld, of praat met de verkeerde server.
auth-failed = De gebruikersnaam of het wachtwoord klopt niet
    .what = De server heeft het inloggen geweigerd. Aan het bericht zelf ligt het niet, en aan het adres van de ontvanger ook niet.
auth-mechanism = De server staat deze manier van inloggen niet toe
    .what = Bij een mailserver kan op verschillende manieren worden ingelogd. De manier die hier is gebruikt mag niet, vaak omdat die niet veilig genoeg is.
auth-expired = Er is iets met het account waarmee wordt ingelogd
    .what = Het account is uitgeschakeld, of het wachtwoord moet eerst worden gewijzigd. Aan het bericht zelf ligt het niet.
auth-unavailable = De server kan het inloggen op dit moment niet controleren
    .what = Het deel van de server dat namen en wachtwoorden nakijkt, werkt nu niet. Over uw wachtwoord zegt dat niets.

# Wat er in het bericht staat, en hoe groot het is.
content-refused = De ontvanger heeft bezwaar tegen wat er in het bericht staat
    .what = Een filter bij de ontvanger heeft bezwaar tegen de inhoud: de tekst, een link of een bijlage. Wat precies, zegt het niet.
content-spam = De ontvanger ziet het bericht als spam
    .what = Een spamfilter bij de ontvanger houdt het bericht voor ongewenste reclame. Filters vergissen zich: ook een heel gewoon bericht kan erin blijven hangen.
content-virus = De ontvanger vond iets schadelijks in het bericht
    .what = Een virusscanner bij de ontvanger noemt het bericht of een bijlage gevaarlijk. Het kan vals alarm zijn, maar neem het serieus.
content-link-listed = In het bericht staat een link die op een zwarte lijst staat
    .what = Een website of naam in het bericht staat op een lijst van adressen die bekend zijn van spam of oplichting. Kijk ook naar de ondertekening, en naar oudere tekst die eronder is blijven staan.
content-malformed = Het bericht zit niet goed in elkaar
    .what = Het programma van de afzender heeft het bericht opgebouwd op een manier die niet volgens de regels voor e-mail is, en de ontvanger is daar streng in. Aan wat u hebt geschreven ligt het niet.
content-media-unsupported = De ontvanger kan niets met dit soort inhoud
    .what = In het bericht zit iets, zoals geluid of een ongewoon soort document, waar het ontvangende systeem niet mee overweg kan.
content-conversion = Het bericht kon niet voor de ontvanger worden omgezet
    .what = Het ontvangende systeem heeft het bericht in een andere vorm nodig. Omzetten mocht niet, kon niet, of er zou een deel verloren zijn gegaan.
charset-unsupported = De ontvanger kan de tekens in het bericht niet verwerken
    .what = Het bericht bevat tekens of een codering (de manier waarop tekens worden vastgelegd) die de ontvangende server niet aanneemt.
message-too-large = Het bericht is te groot voor de ontvanger
    .what = Het bericht is groter dan de ontvangende server aanneemt. Bijlagen worden onderweg ongeveer een derde groter, dus de grens is eerder bereikt dan de bestanden doen denken.
message-duplicate = De ontvanger heeft dit bericht al eens gehad
    .what = Hetzelfde bericht kwam eerder binnen, en de ontvanger neemt het maar één keer aan. Waarschijnlijk is het gewoon aangekomen.
recipients-too-many = Meer ontvangers tegelijk dan de ontvangende server aanneemt
    .what = De ontvangende server neemt maar een beperkt aantal ontvangers in één keer aan. De overige volgen meteen daarna.

# Of de kant van de afzender aantoont wie ze is.
identity-unproven = De ontvanger betwijfelt of het bericht echt van de afzender komt
    .what = De gegevens die bewijzen wie er voor het domein van de afzender mag sturen (SPF, DKIM, DMARC) of wie de verzendende server is (reverse DNS) ontbreken of kloppen niet.
identity-spf = De verzendende server staat niet op de lijst van het domein van de afzender
    .what = Het domein van de afzender maakt bekend welke servers namens dat domein mail mogen sturen (SPF). De server die dit bericht stuurde staat er niet bij, of de lijst is niet te lezen.
identity-dkim = Er zit geen geldige digitale handtekening op het bericht
    .what = Zo'n handtekening (DKIM) bewijst dat een bericht van het domein van de afzender komt en onderweg niet is veranderd. Ze ontbreekt hier, of past niet meer bij het bericht.
identity-dmarc = Het domein van de afzender vraagt zelf om zo'n bericht te weigeren
    .what = Het domein van de afzender heeft een regel bekendgemaakt (DMARC): weiger mail waarvan niet vaststaat dat ze echt van dit domein komt. Bij dit bericht stond dat niet vast.
identity-no-ptr = Het netwerkadres van de verzendende server heeft geen goede naam
    .what = Van een mailserver wordt verwacht dat er bij zijn netwerkadres een naam hoort (reverse DNS). Die ontbreekt hier, of de naam leidt niet terug naar het adres.
identity-helo = De ontvanger accepteert de naam niet waarmee de verzendende server zich voorstelt
    .what = Mailservers beginnen met hun eigen naam te noemen (HELO). De naam die hier is genoemd bestaat niet, is niet volledig of is van een ander.
identity-arc = De ontvanger vertrouwt de weg niet die dit doorgestuurde bericht heeft afgelegd
    .what = Servers die een bericht doorsturen kunnen ervoor instaan met een zegel (ARC). Een van de zegels op dit bericht klopt niet.

# De postbus zelf.
mailbox-unknown = Dit adres bestaat niet
    .what = De ontvangende mailserver kent geen postbus met deze naam. Meestal is het adres verkeerd gespeld of verouderd.
mailbox-disabled = De postbus is gesloten
    .what = De postbus bestaat wel, maar is uitgeschakeld en neemt geen mail aan.
mailbox-full = De postbus is vol
    .what = De postbus van de ontvanger heeft geen ruimte meer. Met uw bericht is niets mis.
mailbox-busy = De postbus is op dit moment in gebruik
    .what = De ontvangende server kon de postbus zojuist niet openen: hij is vergrendeld, of wordt verhuisd of nagekeken.
mailbox-restricted = De ontvanger neemt alleen mail aan van bepaalde afzenders
    .what = De postbus of mailinglijst is niet voor iedereen open, of alleen leden mogen ernaar schrijven. Het adres klopt; u staat alleen niet op de lijst.
mailbox-rate = De ontvanger krijgt op dit moment te veel mail
    .what = Er komt voor deze postbus meer mail binnen dan in een bepaalde tijd is toegestaan. Dat hoeft niet de uwe te zijn: alle mail voor deze postbus moet even wachten.
mailbox-list-broken = De mailinglijst werkt niet goed
    .what = Het adres staat voor een groep mensen, en het lukte de ontvangende server niet om hun adressen erbij te zoeken. Er is iets mis met de lijst, niet met uw bericht.
mailbox-delivery-failed = De ontvangende server kon het bericht niet in de postbus zetten
    .what = Het bericht kwam bij de goede server aan, maar daar mislukte de allerlaatste stap. De fout zit aan die kant.
mailbox-forward-failed = De ontvanger laat zijn mail doorsturen, en dat doorsturen mislukte
    .what = Het adres bestaat en stuurt de mail door naar een ander adres. Daar kon het bericht niet worden afgeleverd. De ontvanger weet dat misschien niet.

# Het netwerk ertussen, en de verbinding erover.
network-unreachable = Er is geen weg door het netwerk naar de ontvangende server
    .what = Het netwerk meldt dat de ontvangende server vanaf de verzendende server niet te bereiken is.
network-congested = Het is te druk op de weg naar de ontvangende server
    .what = Een systeem onderweg krijgt meer te doen dan het aankan. Niemand doet iets fout, en het gaat over.
connection-dropped = De verbinding viel weg tijdens het gesprek tussen de servers
    .what = De verbinding met de ontvangende server brak af voordat het bericht compleet was. De ontvanger heeft het niet.
connection-outcome-unknown = Het is niet zeker of het bericht is aangekomen
    .what = Het hele bericht is verstuurd, maar de verbinding viel weg voordat de ontvanger het bevestigde. Misschien heeft die het, misschien niet. De verzendende server probeert het opnieuw; het kan dus twee keer aankomen.

# Wat nergens anders past.
feedback-complaint = Een ontvanger heeft het bericht als ongewenst gemeld
    .what = Iemand die het bericht kreeg heeft op "dit is spam" gedrukt, en de provider geeft dat door. Het bericht is wel aangekomen; dit is een verzoek om zulke mail niet meer te sturen.
cannot-tell = De reden is uit het antwoord niet op te maken
    .what = Het antwoord zegt te weinig om de reden met zekerheid te noemen.

# Wat de ontvanger toestaat, van wie en hoeveel.
greylisting = De ontvanger vraagt om het straks nog eens te proberen
    .what = De ontvangende server wijst de eerste poging van elke onbekende afzender af, als proef tegen spam. Een tweede poging na de wachttijd wordt aangenomen. Dit is normaal.
policy-rate = De ontvanger wil dat de mail langzamer komt
    .what = De ontvangende server neemt in een bepaalde tijd maar een beperkte hoeveelheid mail van één afzender aan, en die grens is bereikt.
policy-connections = Te veel verbindingen met de ontvanger tegelijk
    .what = De ontvangende server beperkt hoeveel verbindingen de verzendende server tegelijk open mag hebben. Met minder komt de mail er wel door.
policy-refused = De ontvanger weigert het bericht op grond van eigen regels
    .what = De ontvangende server beroept zich op zijn beleid en zegt verder niets.
policy-relaying = De server waar de mail terechtkwam neemt voor dit adres niets aan
    .what = Die server zegt dat hij het bericht naar een andere server zou moeten doorsturen, en dat doet hij niet voor onbekenden. Het adres klopt niet, of de mail gaat naar de verkeerde server.
policy-attachment = De ontvanger neemt dit soort bijlage niet aan
    .what = Sommige soorten bestanden, zoals programma's of vergrendelde archieven, weigert de ontvanger omdat er vaak virussen in zitten. Met uw bijlage hoeft niets mis te zijn.
policy-priority = De ontvanger neemt nu alleen dringender mail aan
    .what = In het bericht staat hoe dringend het is, en de ontvangende server neemt op dit moment alleen mail aan die dringender is. Dit komt zelden voor.
policy-encryption = Het bericht is niet beveiligd zoals de ontvanger dat wil
    .what = De ontvanger vraagt dat het bericht zelf op een bepaalde manier is ondertekend of versleuteld, of kan niet overweg met de manier die hier is gebruikt.

# Het protocol zelf.
protocol-refused = De twee servers begrijpen elkaar niet
    .what = De ontvangende server weigerde een opdracht, of een deel ervan, die bij de taal van mailservers hoort. Een van de twee is verkeerd ingesteld of verouderd.
protocol-sequence = De ontvangende server kreeg een opdracht die op dat moment niet kon
    .what = Mailservers praten in een vaste volgorde, en daar is van afgeweken. Dat is een fout in de software of in een apparaat ertussen, niet in uw bericht.
protocol-line-too-long = Een regel is langer dan de ontvanger toestaat
    .what = Een regel mag niet langer zijn dan een bepaald aantal tekens, en daar is overheen gegaan. Het programma van de afzender had de regel moeten afbreken.

# Het wachten in de rij.
queue-expired = Het bericht kon niet op tijd worden afgeleverd
    .what = De verzendende server heeft het zo lang geprobeerd als een bericht mag wachten, vaak een paar dagen, en is er nu mee gestopt.
queue-deadline = Het moment waarvóór het bericht er moest zijn is voorbij
    .what = Het programma van de afzender had voor dit bericht een uiterste tijd opgegeven. Toen was het nog niet afgeleverd, en daarom gebeurt dat ook niet meer.
queue-removed = Het bericht is uit de wachtrij gehaald
    .what = Een beheerder of een regel van de verzendende server heeft het bericht verwijderd voordat het kon worden afgeleverd. De ontvanger staat hierbuiten.

# Welke naam de kant van de afzender bij de ontvanger heeft.
reputation-ip-listed = Het netwerkadres van de verzendende server staat op een zwarte lijst
    .what = De ontvanger gebruikt een lijst van netwerkadressen waar spam vandaan is gekomen, en het adres van de verzendende server staat erop. Vaak komt dat door een andere gebruiker van die server. Aan het adres van de ontvanger ligt het niet.
reputation-domain-listed = Het domein van de afzender staat op een zwarte lijst
    .what = De ontvanger gebruikt een lijst van domeinen (het deel na de @) die bekend zijn van spam, en het domein van de afzender staat erop. Aan het adres van de ontvanger ligt het niet.
reputation-poor = De afzender of de verzendende server heeft bij de ontvanger een slechte naam
    .what = Door eerdere mail heeft de ontvanger weinig vertrouwen in de verzendende server of in het domein van de afzender. Er wordt minder mail van aangenomen, of helemaal niets. Aan het adres van de ontvanger ligt het niet.
reputation-dynamic-address = De mail lijkt rechtstreeks van een thuisverbinding te komen
    .what = Het netwerkadres ziet eruit als een adres dat een provider aan huishoudens uitdeelt. Veel ontvangers nemen daar geen mail van aan, omdat besmette computers zo spam versturen.
reputation-complaints = Ontvangers hebben geklaagd over mail van deze afzender
    .what = Zo veel mensen hebben eerdere mail als ongewenst aangemerkt dat de ontvanger er niet meer van aanneemt. Aan dit ene bericht hoeft het niet te liggen.

# De weg naar de ontvanger.
route-no-such-domain = Het domein in het adres bestaat niet
    .what = Er is geen domein met deze naam. Meestal is het deel na de @ verkeerd gespeld.
route-null-mx = Dit domein neemt geen mail aan
    .what = Het domein in het adres geeft in de DNS (het adresboek van het internet) aan dat het nooit mail aanneemt.
route-no-address = Dit domein heeft geen mailserver
    .what = Het domein bestaat, maar de DNS (het adresboek van het internet) noemt er geen bereikbare mailserver voor.
route-mx-broken = Het domein noemt een mailserver die niet te gebruiken is
    .what = In de DNS (het adresboek van het internet) staat bij het domein van de ontvanger iets wat geen bruikbare mailserver is. Alleen wie dat domein beheert kan dat verbeteren.
route-to-self = De mail zou bij de verzendende server zelf terugkomen
    .what = Volgens de DNS (het adresboek van het internet) is de verzendende server zelf de mailserver van het domein van de ontvanger, maar er is niet ingesteld wat er met mail voor dat domein moet gebeuren.
route-missing = Voor dit adres is geen route ingesteld
    .what = In de instellingen van de verzendende server staat niet waar mail voor zo'n adres heen moet, of er staat een server die niet bestaat.
route-loop = Het bericht blijft rondgaan
    .what = Het bericht is langs te veel servers gekomen. Twee of meer servers sturen het steeds naar elkaar door.
dns-failing = Het adresboek van het internet geeft geen antwoord
    .what = Om de mailserver van een domein te vinden moet het aan de naamservers van dat domein worden gevraagd (de DNS). Die geven op dit moment geen antwoord.

# Het adres en het account van de afzender.
sender-refused = De ontvanger accepteert het adres van de afzender niet
    .what = De ontvangende server heeft bezwaar tegen het adres waar het bericht vandaan komt, zonder duidelijk te zeggen waarom.
sender-domain-unknown = De ontvanger kan het domein van de afzender niet vinden
    .what = Het deel na de @ in het adres van de afzender bestaat niet, of de ontvanger kon het niet opzoeken. Een antwoord zou nergens heen kunnen.
sender-null-mx = Het domein van de afzender zegt dat het geen mail aanneemt
    .what = Op dit bericht zou nooit iemand kunnen antwoorden, en daarom weigert de ontvanger het.
sender-unverified = De ontvanger kon het adres van de afzender niet bevestigd krijgen
    .what = De ontvangende server heeft bij de mailserver van de afzender gevraagd of het adres bestaat, en kreeg daar geen ja op.
sender-not-owned = Het account mag niet met dit afzenderadres sturen
    .what = Er is ingelogd met een account waar het adres in het Van-veld niet bij hoort.
sender-blocked = Deze afzender is aan de kant van de ontvanger geblokkeerd
    .what = De ontvanger, of de mailserver van de ontvanger, heeft deze afzender op een eigen lijst van geweigerde afzenders gezet.
sender-quota = De afzender zit aan de verzendlimiet van de eigen provider
    .what = De eigen provider van de afzender beperkt hoeveel mail één account in een bepaalde tijd mag versturen. Bij de ontvanger is het bericht nog niet geweest.
sender-suspended = Het account van de afzender is door de eigen provider geblokkeerd
    .what = De provider heeft het account gesloten of beperkt, vaak omdat het erop lijkt dat iemand anders er spam mee heeft verstuurd. De ontvanger staat hierbuiten.

# De ontvangende server.
server-busy = De ontvangende server is te druk of sluit net af
    .what = De ontvangende server kan op dit moment geen verbindingen meer aan. Meestal is dat binnen enkele minuten voorbij.
server-storage-full = De ontvangende server heeft geen ruimte meer
    .what = De schijf of het geheugen van de ontvangende server is vol. Dat geldt voor alle mail naar die server, niet alleen voor de uwe.
server-not-accepting = De ontvangende server neemt nu geen mail aan
    .what = De beheerder heeft de inkomende mail stilgezet of is bezig met onderhoud.
server-local-error = Er ging iets mis binnen de ontvangende server
    .what = De ontvangende server wilde het bericht verwerken en dat mislukte. De fout zit daar, niet in uw bericht.
server-misconfigured = De ontvangende server is verkeerd ingesteld
    .what = Door een instelling kan de ontvangende server zijn werk niet doen. Alleen de beheerder ervan kan dat verbeteren.
server-scanner-failed = De virus- of spamscanner van de ontvanger werkt op dit moment niet
    .what = De ontvangende server neemt geen bericht aan dat hij niet kan controleren. Dat betekent niet dat er met uw bericht iets mis is.
server-directory-failed = De ontvangende server kon de ontvanger niet opzoeken
    .what = De lijst met gebruikers was zojuist niet te raadplegen. Dat betekent niet dat het adres fout is.
server-downstream-failed = De ontvangende server kan de server daarachter niet bereiken
    .what = De server die mail van buiten aanneemt geeft die binnen door aan een andere server, en die antwoordt niet. De fout zit binnen de systemen van de ontvanger.
server-feature-missing = De ontvangende server kan niet wat het bericht vraagt
    .what = Het bericht heeft een mogelijkheid nodig die de ontvangende server niet heeft.
server-connection-refused = De ontvangende mailserver draait niet
    .what = De machine antwoordt, maar er luistert geen mailserver.
server-unreachable = De ontvangende server geeft geen antwoord
    .what = De verzendende server heeft alle bekende adressen van de ontvangende server geprobeerd en nergens werd geantwoord. De server ligt stil, of er zit een firewall tussen.
server-not-smtp = Wat daar antwoordt is geen mailserver
    .what = Op het adres van de ontvanger antwoordt iets anders dan een mailserver.

# Versleuteling van de verbinding.
tls-required = De ontvangende server eist een versleutelde verbinding
    .what = De ontvangende server neemt alleen mail aan over een versleutelde verbinding, en de verzendende server heeft die niet opgezet.
tls-failed = Het lukte niet om een versleutelde verbinding op te zetten
    .what = De twee servers wilden hun verbinding versleutelen en dat mislukte.
tls-certificate = De ontvangende server kon niet bewijzen dat hij de juiste is
    .what = Zijn certificaat (een soort identiteitsbewijs) is verlopen, staat op een andere naam of is niet het certificaat dat was aangekondigd. Het bericht is niet overgedragen, zodat geen vreemde het kan lezen.
tls-policy = De ontvanger biedt niet de versleuteling die dit bericht eist
    .what = De afzender heeft gevraagd dat het bericht alleen versleuteld reist. De ontvangende server kan dat niet beloven.
tls-dane = De ontvangende server is niet zoals zijn domein hem in de ondertekende DNS aankondigt
    .what = Het domein van de ontvanger kondigt in de DNS, ondertekend, aan dat zijn mailservers versleutelen en welke certificaten ze hebben (DANE). De server toonde niet zo'n certificaat, versleutelde helemaal niet, of de aankondiging was niet te controleren. Meestal is een certificaat vernieuwd en het record in de DNS niet. Het bericht is niet overgedragen, zodat geen vreemde het kan lezen.
tls-mta-sts = De ontvangende server is niet zoals zijn domein hem aankondigt
    .what = Het domein van de ontvanger heeft een beleid (MTA-STS) dat zijn mailservers noemt en eist dat ze versleutelen, met een geldig certificaat. Deze server hoort er niet bij, versleutelde niet of had geen geldig certificaat. Het bericht is niet overgedragen, zodat geen vreemde het kan lezen.

# De machine en de lijn van de kant van de afzender.
us-local-failure = Er ging iets mis op de verzendende server
    .what = De fout zit in de verzendende server of de machine waarop die draait, en niet bij de ontvanger.
us-line-down = De eigen verbinding van de verzendende server ligt eruit
    .what = Vanaf die server is geen enkele bestemming te bereiken. Het ligt dus aan de eigen lijn en niet aan een ontvanger.
us-filtered = Een filter aan de kant van de afzender hield het bericht tegen
    .what = Een virusscanner, spamfilter of regel van de eigen organisatie of provider van de afzender heeft het bericht tegengehouden. Bij de ontvanger is het nooit geweest.
