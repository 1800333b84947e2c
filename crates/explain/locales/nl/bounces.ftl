# Wat terugkwam nadat het was doorgegeven, en de adressen waaraan niets meer wordt gestuurd.

bounce-opening = Dit is de mailserver { $host }. Uw bericht is van hier doorgegeven aan de volgende server. Later kwam er een melding terug dat het niet is aangekomen:
bounce-handed = Aangenomen door { $peer } op { $time }; de melding kwam terug op { $returned }.
bounce-came-back = De melding kwam terug op { $returned }.
bounce-names = De fout zit bij { $address }, waarheen { $recipient } doorstuurt.
bounce-said = De server { $reporter } meldt:
bounce-said-unknown = De melding zegt:
bounce-closing = De volgende server heeft uw bericht opgegeven. De melding zoals die kwam zit als bijlage bij dit bericht. Vraagt u iemand om hulp, stuur dan dit hele bericht mee.

return-failure = er kwam een melding terug: { $headline }
return-delay = er kwam een melding van vertraging terug; elders wordt het nog geprobeerd: { $headline }
return-complaint = er kwam een klacht terug: wie het adres heeft wil deze mail niet
return-answer = er kwam een automatisch antwoord terug; er ging niets mis
return-other = er kwam mail terug die geen fout meldt
return-by = { $report }, gekoppeld door { $by }
return-reporter = geschreven door { $reporter }
return-words = er staat: { $words }
return-names = over { $address }, waarheen de ontvanger doorstuurt
return-passed-on = doorgestuurd aan de afzender als { $copy }
return-suppressed = het adres staat daarom op de lijst van onbereikbare adressen
joined-return_address = het retouradres
joined-return_address_inside = het retouradres dat erin staat
joined-trace = ons spoor in de kop die is teruggestuurd
joined-envelope_id = de eigen naam van de afzender voor het bericht

bounces-about = (bericht { $id } van { $sender })
bounces-nobody = (een ontvanger van het bericht)
bounces-none = Er kwam niets terug.

event-joined = het gaat over het bericht { $about } (gevonden door { $by }) en is opgevat als: { $kind }
event-not-joined = het gaat over geen bericht dat hier bekend is; het is opgevat als: { $kind }
event-passed-on = doorgestuurd als { $copy }
kind-failure = een foutmelding
kind-delay = een melding van vertraging
kind-complaint = een klacht
kind-answer = een automatisch antwoord
kind-other = geen melding

story-returned = Kwam terug
story-returned-value = op { $time }: { $headline }

suppressed-administrator = erop gezet door de beheerder
suppressed-administrator-note = erop gezet door de beheerder: { $note }
suppressed-delivery = { $headline }: dat zei de server ervan toen het bericht { $message } moest worden afgeleverd
suppressed-bounce = { $headline }: dat zegt de melding { $report } die terugkwam over het bericht { $message }
suppressed-complaint = wie het adres heeft klaagde over het bericht { $message }, in de klacht { $report }
suppressed-words = Letterlijk: { $words }
suppressed-since = Sinds { $since }
suppressed-until = tot { $until }
suppressed-for-ever = tot het eraf wordt gehaald
