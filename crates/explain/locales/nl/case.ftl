# Een geval dat iemand heeft geplakt of dat in een logboek staat.
case-likely = Meestal zit een van deze dingen erachter: { $causes }.
case-next-given-up = Het bericht is bij deze ontvanger niet afgeleverd en er wordt niets meer geprobeerd. Als de reden weg is, moet het opnieuw worden verstuurd.
case-next-trying = De mail is niet kwijt. De verzendende server bewaart hem en probeert het vanzelf opnieuw.
case-next-unknown = Hieruit alleen valt niet op te maken of het bericht nog wordt geprobeerd. Wie de verzendende server beheert, kan dat in de wachtrij zien.
case-next-asked = De ontvanger vraagt om { $wait } te wachten tot de volgende poging.
case-next-complaint = Het bericht is afgeleverd. De ontvanger wil zulke berichten niet meer.
case-sender = Verzendende server
case-said = Gezegd
case-stage = bij deze stap: { $stage }
case-sure = Hoe zeker
case-not-sure = De tekst zegt te weinig om zeker te zijn van een reden
case-because = , vanwege { $words }
case-dialect = Dit zijn woorden van { $name }.
case-other-reading = Of anders
case-read-reply = Het antwoord { $code }
case-read-status = De statuscode { $code } uit de nieuwere lijst
case-read-both = Het antwoord { $reply } met de statuscode { $code }
case-check = Na te gaan
case-note = Let op
case-note-backscatter = Deze melding gaat waarschijnlijk over een bericht dat nooit van hier is verstuurd: iemand heeft het adres als valse afzender gebruikt. Er hoeft niets te gebeuren.
case-note-forwarded = { $n ->
    [one] De melding is één keer doorgestuurd.
   *[other] De melding is { $n } keer doorgestuurd.
}
case-note-forwarded-from = Het bericht was gericht aan { $address }, dat doorstuurt naar het adres waar het misging.
case-note-broken = De melding is niet opgesteld zoals de standaard vraagt; wat erin te lezen was, staat hier.
case-note-delay = Dit is alleen een bericht van vertraging: het bericht wordt nog steeds geprobeerd.
case-note-cut = De tekst houdt midden in op; er kan meer hebben gestaan.
case-none = Niets in { $source } gaat over mail die niet is aangekomen.
case-several = { $n } mislukkingen in { $source }
case-limit = Grens
case-limit-message-bytes = De ontvanger neemt berichten aan van hoogstens { $n } bytes.
case-limit-recipients = De ontvanger neemt hoogstens { $n } ontvangers per aflevering aan.
case-limit-connections = De ontvanger neemt hoogstens { $n } verbindingen tegelijk aan.
case-limit-messages = De ontvanger neemt hoogstens { $n } berichten aan in { $span }.
case-limit-recipients-in-time = De ontvanger neemt hoogstens { $n } ontvangers aan in { $span }.
