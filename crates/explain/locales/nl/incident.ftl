# Storingen: wat bij elkaar hoort in een logboek of een mailbox.
incident-domain = Mail aan { $name }
incident-provider = Mail aan de servers van { $name }
incident-everywhere = Mail aan bijna iedereen
incident-here = Mail die deze server zelf afwees
incident-unknown = Mail aan ontvangers die niet worden genoemd
incident-at = Op { $first }.
incident-since = Sinds { $first }, het laatst gezien { $last }.
incident-failures = { $n ->
    [one] { $n } mislukking.
   *[other] { $n } mislukkingen.
}
incident-waiting = { $n ->
    [one] { $n } ontvanger wacht.
   *[other] { $n } ontvangers wachten.
}
incident-given-up = { $n ->
    [one] Voor { $n } ontvanger is het bericht opgegeven.
   *[other] Voor { $n } ontvangers is het bericht opgegeven.
}
incident-side-us = Het ligt aan ons: de oorzaak zit aan de verzendende kant.
incident-side-them = Het ligt aan hen: de oorzaak zit bij de ontvangende server.
incident-side-sender = Het ligt aan de afzender: wie deze berichten schreef, kan het verhelpen.
incident-side-recipient = Het ligt aan de ontvanger: alleen die kan het verhelpen.
incident-side-network = Het ligt aan het netwerk ertussen.
incident-nothing-to-do = U hoeft niets te doen: de mail wordt bewaard en opnieuw geprobeerd.
incident-over = Sindsdien is er weer mail doorgekomen: het lijkt voorbij.
incident-example = Zij zeiden: “{ $words }”
incident-other = { $n ->
    [one] En { $n } mislukking die bij niets groters hoort.
   *[other] En { $n } mislukkingen die bij niets groters horen.
}
