# Het verhaal van een bericht, en de melding aan de afzender.

story-title = Bericht { $id }
story-from = Van
story-received = Ontvangen
story-received-value = { $time } ({ $ago } geleden) van { $client }, via { $protocol }
story-report-about = Melding over { $id }, geschreven door deze mailserver
story-size = Omvang
story-size-value = { $bytes } bytes
story-line = Onze lijn
story-line-is-down = ligt eruit sinds { $since }: vanaf hier is niets te bereiken. Daardoor wordt niets opgegeven: deze tijd ({ $span } tot nu toe) telt niet mee.
story-line-was-down = lag eruit vanaf { $since }, { $span } lang: vanaf hier was niets te bereiken. Die tijd telt niet mee.
story-expires = Uiterlijk
story-null-sender = <> (niemand: hierop volgt nooit een melding)

state-queued = wacht
state-sending = wordt verstuurd
state-held = vastgehouden
state-delivered = afgeleverd
state-failed = mislukt
state-dropped = verwijderd

story-recipients = Ontvangers
story-attempts-made = { $n ->
    [one] { $n } poging
   *[other] { $n } pogingen
}
story-via = via { $destination }
story-and-more = … en nog { $n }, net zo
story-what = Wat
story-who = Wie is aan zet
story-next = Hierna
story-do = Te doen
story-paused = Deze bestemming staat stil: er wordt niets heen gestuurd tot ze wordt hervat.
story-blocked = Deze bestemming wordt niet geprobeerd vóór { $when }, want: { $headline }.
story-attempt = Poging { $n }
story-attempt-title = { $time }, naar { $destination }
story-why-then = de reden voor dit tijdstip: { $basis }
basis-asked = de ontvanger vroeg om { $wait }
basis-schedule = stap { $step } van het schema voor deze oorzaak, ongeveer { $wait }
basis-destination = de bestemming als geheel wacht
basis-lifetime = het einde van de tijd die een bericht mag wachten
basis-administrator = de beheerder heeft erom gevraagd
basis-sender = de afzender vroeg om het tot dan vast te houden
basis-restart = de mailserver is opnieuw gestart
story-cause = oorzaak { $cause }, { $percent } % zeker
story-could-also = het kan ook zijn: { $others }
story-events = Verder
event-held = vastgehouden door de beheerder
event-released = vrijgegeven door de beheerder
event-retry-asked = de beheerder heeft om een poging gevraagd
event-dropped = verwijderd door de beheerder; niemand kreeg bericht
event-paused = de bestemming is stilgezet
event-resumed = de bestemming is hervat
event-interrupted = de mailserver stopte midden in een poging: of het bericht is aangekomen is niet bekend, en het kan twee keer aankomen
event-delayed = de afzender kreeg bericht van de vertraging, in het rapport { $report }
event-arrival-reported = de afzender kreeg bericht van de aankomst, in het rapport { $report }
event-not-asked = geen rapport: de afzender wilde geen bericht
event-reported = een melding aan de afzender staat in de rij als { $report }
event-not-reported = geen melding: het bericht heeft geen afzender die het kan horen
event-rerouted = de route is veranderd; eerst ging het naar { $from }
story-verified = Wat deze server zag toen hij { $destination } bekeek, { $at }

step-routed = opgezocht waar het heen moet: { $hosts }
step-routed-nowhere = opgezocht waar het heen moet
step-connected = verbonden met { $host } ({ $address })
step-connected-from = verbonden met { $host } ({ $address }) vanaf { $from }
step-converted = omgezet naar { $to }, omdat de server het bericht niet aanneemt zoals het is
step-reused = verder over een open verbinding met { $host } ({ $address })
step-not-connected = geen verbinding met { $host } ({ $address }): { $error }
step-sent = het bericht verstuurd: { $bytes } bytes
step-broke = de verbinding viel weg ({ $how }) na { $sent } van { $size } bytes inhoud
step-command = wij zeiden: { $command }
step-went-no-route = geen weg: { $text }
step-went-cannot-send = deze server kan het bericht niet aannemen: { $text }
step-went-not-smtp = het antwoord was geen SMTP: { $text }
step-went-local = hier misgegaan: { $text }
login-no-mechanism = niet ingelogd: de server biedt geen manier van inloggen die wij kennen ({ $text })
login-not-encrypted = niet ingelogd: zonder TLS kan iedereen onderweg het wachtwoord lezen (de server biedt { $text })
login-no-password = niet ingelogd: het wachtwoord is niet te lezen ({ $text })
login-exchange = niet ingelogd: { $text }
program-exited = { $program } eindigde met status { $n }
program-killed = { $program } werd beëindigd door signaal { $n }
program-timed-out = { $program } was na { $n } seconden niet klaar en is gestopt
program-not-started = { $program } kon niet worden gestart: { $reported }
program-option = niet aan { $program } gegeven: het adres begint met een streepje, net als de opties van dat programma
step-went-expired = opgegeven na { $span }
step-went-hops = { $hops } servers onderweg, de grens is { $limit }; meer dan eens: { $repeated }
step-went-interrupted = de mailserver stopte
how-closed = gesloten door de andere kant
how-reset = afgebroken
how-timed-out = er werd te lang niets gezegd
error-refused = daar luistert niemand
error-timed-out = geen antwoord
error-unreachable = geen weg door het netwerk
error-reset = meteen afgebroken
error-outrun = een ander adres antwoordde eerder
error-local = deze machine kon de verbinding niet maken

stage-route = de weg zoeken
stage-connect = verbinden
stage-greeting = begroeting
stage-hello = voorstellen
stage-start-tls = versleuteling
stage-auth = inloggen
stage-mail = afzender
stage-rcpt = ontvanger
stage-data = begin van de inhoud
stage-content = inhoud
stage-end-of-data = einde van de inhoud
stage-reset = terugzetten
stage-quit = afscheid
verdict-accepted = { $who }: afgeleverd
verdict-unknown = { $who }: niet bekend; de mailserver stopte voordat hij het antwoord had
verdict-failed = { $who }: { $headline }

report-subject = Niet afgeleverd: { $address }
report-subject-several = Niet afgeleverd bij { $n } ontvangers
report-opening = Dit is de mailserver { $host }. Uw bericht kon niet worden afgeleverd bij:
report-opening-several = Dit is de mailserver { $host }. Uw bericht kon niet worden afgeleverd bij deze ontvangers:
report-said = De ontvangende server { $peer } zei:
report-tried = Wij hebben het { $n ->
    [one] één keer
   *[other] { $n } keer
} geprobeerd sinds { $time }.
report-met = Wat er in de weg stond: { $causes }.
report-times = { $headline } ({ $n }×)
report-who = Wie is aan zet:
report-do = Wat u kunt doen:
report-closing = Uw bericht is bij deze ontvanger niet afgeleverd en er volgen geen pogingen meer. De technische gegevens en de kop van uw bericht zitten als bijlage bij deze melding. Vraagt u iemand om hulp, stuur dan deze hele melding mee.
report-closing-several = Uw bericht is bij deze ontvangers niet afgeleverd en er volgen geen pogingen meer. De technische gegevens en de kop van uw bericht zitten als bijlage bij deze melding. Vraagt u iemand om hulp, stuur dan deze hele melding mee.

delay-subject = Nog niet bezorgd: { $address }
delay-subject-several = Nog niet bezorgd bij { $n } ontvangers
delay-opening = Dit is de mailserver { $host }. Uw bericht wacht al { $waited } om te worden bezorgd. U hoeft het niet opnieuw te sturen.
delay-untried = Het is nog niet geprobeerd: er wordt op de ontvangende server gewacht.
delay-closing = We blijven het proberen. Lukt het niet vóór { $until }, dan krijgt u nog een bericht.
arrival-subject = Bezorgd: { $address }
arrival-subject-several = Bezorgd bij { $n } ontvangers
arrival-opening = Dit is de mailserver { $host }. U vroeg om bericht als uw mail aankomt.
arrival-delivered = { $address }: de mail ligt in de brievenbus.
arrival-relayed = { $address }: de server { $server } heeft de mail aangenomen. Die server meldt niet wanneer ze aankomt; u hoort er van ons niets meer over.
