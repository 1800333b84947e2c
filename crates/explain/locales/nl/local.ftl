event-became = { $address } werd { $into } door { $by }
event-left-out = { $address }, genoemd in { $by }, bestaat hier niet en is overgeslagen
event-owner = de afzender van de exemplaren voor { $list } is de eigenaar { $owner }; die hoort het als er iets misgaat
event-forwarded = doorgestuurd naar elders: de afzender { $sender } gaat verder als { $rewritten }, zodat de volgende server het niet voor vervalsing aanziet
event-returned = { $rewritten } is een doorgestuurde afzender die terugkwam: het is { $sender }
event-sender-unknown = geen melding: het adres van de afzender hoort bij een domein van ons, maar niemand heeft het daar
story-and-others = en { $n } andere
step-went-delivered-before = het bericht is al eerder in de mailbox { $mailbox } geweest ({ $times } ×): doorsturen brengt het terug

# Een adres dat voor meer adressen staat.

expanded-subject = Doorgestuurd naar meer adressen: { $address }
expanded-subject-several = { $n } adressen staan voor meer adressen
expanded-alias = { $address }: dit adres staat voor meer adressen, en uw bericht gaat daarheen door. Van de aankomst bij elk daarvan hoort u niets; komt het niet aan, dan wel.
expanded-list = { $address }: de lijst heeft uw bericht en stuurt het aan de leden. Wat er van hun kopieën wordt, hoort de beheerder van de lijst.
event-expansion-reported = de afzender kreeg bericht dat het adres voor meer adressen staat, in het rapport { $report }
