event-became = { $address } werd { $into } door { $by }
event-left-out = { $address }, genoemd in { $by }, bestaat hier niet en is overgeslagen
event-owner = de afzender van de exemplaren voor { $list } is de eigenaar { $owner }; die hoort het als er iets misgaat
event-forwarded = doorgestuurd naar elders: de afzender { $sender } gaat verder als { $rewritten }, zodat de volgende server het niet voor vervalsing aanziet
event-returned = { $rewritten } is een doorgestuurde afzender die terugkwam: het is { $sender }
event-sender-unknown = geen melding: het adres van de afzender hoort bij een domein van ons, maar niemand heeft het daar
story-and-others = en { $n } andere
step-went-delivered-before = het bericht is al eerder in de mailbox { $mailbox } geweest ({ $times } ×): doorsturen brengt het terug
