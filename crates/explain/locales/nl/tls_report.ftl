# Een rapport over TLS (RFC 8460), uitgelegd aan wie het domein beheert waar het over gaat.

tlsrpt-title = TLS-rapport van { $by } over { $domain }: { $outcome }
tlsrpt-well = { $n ->
    [0] geen sessies
    [one] één sessie, zoals het hoort
   *[other] { $n } sessies, alle zoals het hoort
}
tlsrpt-not-well = { $failed } van { $n } sessies waren niet zoals het hoort
tlsrpt-somebody = iemand die geen naam noemt
tlsrpt-period = Dit is er geworden van de verbindingen van { $by } met uw mailservers, van { $from } tot { $to }.
tlsrpt-no-period = Dit is er geworden van de verbindingen van { $by } met uw mailservers; het rapport zegt niet wanneer.
tlsrpt-reference = Vragen erover kunnen naar { $contact }; het rapport heet { $id }.
tlsrpt-policy-sts = MTA-STS van { $domain }: { $good } sessies waren zoals het beleid eist, { $failed } niet.
tlsrpt-policy-tlsa = DANE (TLSA-records) van { $domain }: { $good } sessies waren zoals de records eisen, { $failed } niet.
tlsrpt-policy-none = Er is geen beleid van { $domain } gevonden: { $good } sessies waren versleuteld, { $failed } niet of niet goed. Zonder MTA-STS of DANE houdt niets een aanvaller tegen die de versleuteling uitschakelt.
tlsrpt-policy-other = { $kind } van { $domain }: { $good } sessies waren zoals het hoort, { $failed } niet.
tlsrpt-mx = servers: { $mx }
tlsrpt-detail = { $n } × { $result }
tlsrpt-at = bij { $where }
tlsrpt-from = vanaf { $where }
tlsrpt-reason = opgegeven reden: { $text }
tlsrpt-more = meer hierover: { $text }
tlsrpt-uncounted = Het rapport telt { $n } mislukkingen en zegt niet welke.
tlsrpt-unreadable = { $source } lijkt een rapport over TLS (RFC 8460) en is niet te lezen: { $problem }

tlsrpt-starttls-not-supported = Uw server bood geen versleuteling aan (STARTTLS). Melden alle afzenders dat, dan staat versleuteling daar uit, of is het certificaat niet te gebruiken. Melden maar enkele het, dan haalt iets onderweg het aanbod weg: een firewall die SMTP "inspecteert", of een aanvaller.
    .do = Maak van buitenaf verbinding en kijk of STARTTLS daar wordt aangeboden (postrider check, vanuit een ander netwerk). Zet het inspecteren van SMTP in firewalls uit.
tlsrpt-certificate-host-mismatch = Uw server toonde een certificaat voor andere namen dan die waaronder de afzender kwam.
    .do = Haal een certificaat met de naam van die server zoals het MX-record die geeft, of verbeter het MX-record. Bij MTA-STS moeten de mx-regels van het beleid hem ook noemen.
tlsrpt-certificate-expired = Uw server toonde een certificaat dat is verlopen.
    .do = Vernieuw het certificaat, en zorg dat de mailserver het nieuwe inleest. Laat het vanzelf vernieuwen, weken voor het afloopt.
tlsrpt-certificate-not-trusted = Uw server toonde een certificaat dat naar geen certificaatautoriteit leidt die de afzender vertrouwt: het staat voor zichzelf in, of de certificaten tussen dat en de autoriteit worden niet meegestuurd.
    .do = Gebruik een certificaat van een bekende certificaatautoriteit en laat de server de hele keten sturen: ook de certificaten ertussen moeten in het bestand staan.
tlsrpt-validation-failure = De versleuteling mislukte om een andere reden; alleen de woorden van de afzender zeggen waarom.
    .do = Kijk naar de reden en het adres van de afzender, en dan in het log van die server op dat moment. postrider check probeert, vanuit een ander netwerk, versleuteling zoals een afzender het doet.
tlsrpt-tlsa-invalid = Het certificaat van uw server past bij geen van de TLSA-records, of geen van de records is te gebruiken. Meestal is het certificaat vernieuwd en het record niet.
    .do = Publiceer het record voor het nieuwe certificaat naast het oude (3 1 1 met de SHA-256 ervan), wacht tot het oude antwoord vergeten is (TTL), en wissel dan pas het certificaat.
tlsrpt-dnssec-invalid = De nameserver van de afzender kreeg geen geldig ondertekend antwoord voor de TLSA-records. Mail van afzenders die DANE doen wacht.
    .do = Kijk naar de handtekeningen van uw zone (delv, dnsviz.net): of ze verlopen zijn, of het DS-record bij de sleutel past, en of elke nameserver antwoord geeft over TLSA.
tlsrpt-dane-required = De afzender eist DANE voor uw domein en vond het niet.
    .do = Publiceer TLSA-records voor uw mailservers in een ondertekende zone, of vraag de afzender de eis te laten vallen.
tlsrpt-sts-policy-fetch-error = Uw MTA-STS-beleid was niet op te halen, al zegt de DNS dat het er is.
    .do = Haal https://mta-sts.UW-DOMEIN/.well-known/mta-sts.txt van buitenaf op: het antwoord moet 200 zijn, zonder doorverwijzing, als text/plain.
tlsrpt-sts-policy-invalid = Uw MTA-STS-beleid is opgehaald en niet te gebruiken.
    .do = Het moet deze regels hebben: version: STSv1, mode: enforce of testing of none, mx: voor elke server, en max_age: in seconden.
tlsrpt-sts-webpki-invalid = De webserver van uw MTA-STS-beleid toonde een ongeldig certificaat.
    .do = Vernieuw het certificaat van de webserver mta-sts.UW-DOMEIN, voor die naam.
tlsrpt-unknown-result = De standaard kent geen uitkomst met die naam; wat het betekent kan alleen de afzender zeggen.
    .do = Vraag het de afzender, op het adres dat het rapport noemt.

# Onze eigen TLS-rapporten, verzameld en onderweg.
tls-ledger-none = Er zijn geen sessies verzameld, en de laatste zeven dagen is geen rapport verzonden.
tls-ledger-now = nu
tls-ledger-report = { $domain }, { $from } tot { $to }: { $good ->
    [one] één sessie was zoals het hoort
   *[other] { $good } sessies waren zoals het hoort
}, { $failed } niet
tls-ledger-gathering = wordt verzameld
tls-ledger-due = gaat om { $at }, als het domein het wil
tls-ledger-asked = of het domein het wil, was niet te achterhalen en wordt om { $at } opnieuw gevraagd: { $problem }
tls-ledger-goes = { $rua }: gaat om { $at }
tls-ledger-mailed = { $rua }: in de wachtrij als { $id } (postrider queue show { $id })
tls-ledger-taken = { $rua }: aangenomen
tls-ledger-again = { $rua }: niet aangenomen, opnieuw om { $at }: { $problem }
tls-ledger-failed = { $rua }: opgegeven: { $problem }
tls-ledger-hastened = { $n ->
    [0] Er was niets verzameld dat verzonden kon worden.
    [one] Eén rapport gaat nu, als het domein het wil.
   *[other] { $n } rapporten gaan nu, naar de domeinen die ze willen.
}
